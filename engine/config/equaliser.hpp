// Equaliser: a magnitude curve as equalisers are described: bands of second order, and gains
// between which a line is drawn. EqualiserBand's are those of analogue prototypes: nothing is
// warped towards the Nyquist frequency, as digital biquads are.
//
// Plain values and pure functions; any thread.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank {

enum class BandShape { kPeak, kLowShelf, kHighShelf, kLowPass, kHighPass };

/// With A = 10^(gain_db / 40) and s = j f / frequency_hz:
///   peak        (s^2 + s A/Q + 1) / (s^2 + s/(A Q) + 1)
///   low shelf   A (s^2 + s sqrt(A)/Q + A) / (A s^2 + s sqrt(A)/Q + 1)
///   high shelf  A (A s^2 + s sqrt(A)/Q + 1) / (s^2 + s sqrt(A)/Q + A)
///   low pass    1 / (s^2 + s/Q + 1)
///   high pass   s^2 / (s^2 + s/Q + 1)
/// (R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients".)
struct EqualiserBand {
  BandShape shape = BandShape::kPeak;
  double frequency_hz = 1'000;  // above 0
  double gain_db = 0;           // of peak and shelves
  double q = 0.7071067811865476;

  bool operator==(const EqualiserBand&) const = default;
};

struct GraphicPoint {
  double frequency_hz = 0;
  double gain_db = 0;

  bool operator==(const GraphicPoint&) const = default;
};

/// Gains in dB between which a straight line is drawn over the logarithm of the frequency; level
/// below the first and above the last. Frequencies rise from point to point.
using GraphicCurve = std::vector<GraphicPoint>;

enum class FilterPhase { kMinimum, kLinear };

/// The product of all its parts, and how to make a filter of it.
struct Equaliser {
  std::vector<EqualiserBand> bands;
  std::vector<GraphicCurve> curves;
  double gain_db = 0;
  std::size_t taps = 0;  // 0: as many as it needs, up to kMostAutomaticTaps
  FilterPhase phase = FilterPhase::kMinimum;

  bool operator==(const Equaliser&) const = default;
};

/// Limits that every reader keeps to.
inline constexpr double kLeastBandQ = 0.01;
inline constexpr double kMostBandQ = 1'000;
inline constexpr double kMostBandGainDb = 120;
inline constexpr double kMostBandHz = 1e6;

/// What the amplitude at `hz` (above 0) is multiplied by.
double magnitude(const Equaliser& equaliser, double hz);

/// The same without the zeros at 0 Hz that high passes have: divided by hz^zeros_at_dc(). Finite
/// and above 0 from 0 Hz on.
double magnitude_without_zeros(const Equaliser& equaliser, double hz);
std::size_t zeros_at_dc(const Equaliser& equaliser);

}  // namespace firbank
