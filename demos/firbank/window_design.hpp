// Windowed design of linear-phase FIR filters with the Kaiser window.
//
// The ideal response is cut to an odd number of taps and weighed by
//   w[n] = I0(beta sqrt(1 - (n / D)^2)) / I0(beta),  -D <= n <= D,
// with beta from the attenuation A and D = (taps - 1) / 2 from A and the width of the transition
// (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974;
// Oppenheim and Schafer, "Discrete-Time Signal Processing", section on the Kaiser window):
//   beta = 0.1102 (A - 8.7)                               for A > 50,
//          0.5842 (A - 21)^0.4 + 0.07886 (A - 21)         for 21 <= A <= 50,  0 below;
//   taps - 1 = (A - 7.95) / (2.285 x 2 pi x transition / rate).
// Lowpass to bandstop are symmetric, hilbert is antisymmetric; all delay by D frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace firbank::program {

/// An odd number. Measuring so many taps takes seconds; more would only take longer.
constexpr std::size_t kMaxDesignTaps = 2'000'001;

enum class FilterKind { kLowpass, kHighpass, kBandpass, kBandstop, kHilbert };

/// The word must be one of "lowpass", "highpass", "bandpass", "bandstop", "hilbert".
FilterKind filter_kind(std::string_view word);

struct DesignRequest {
  FilterKind kind = FilterKind::kLowpass;
  double sample_rate_hz = 48'000;
  double low_hz = 0;   // lower edge: highpass, bandpass, bandstop
  double high_hz = 0;  // upper edge: lowpass, bandpass, bandstop
  double attenuation_db = 80;
  std::optional<double> transition_hz;  // either this one or taps, or both
  std::optional<std::size_t> taps;      // odd
};

struct FilterDesign {
  std::vector<double> taps;
  double transition_hz = 0;       // that the measurement leaves out, centred on each edge
  double attenuation_db = 0;      // measured: the least, over the stopbands
  double passband_ripple_db = 0;  // measured: the greatest distance from 0 dB
  std::size_t delay_frames() const { return (taps.size() - 1) / 2; }
};

/// Told at each step how far the measurement of `taps` taps has come; there are a few measurements,
/// one after the other, of `total` steps each. What it throws ends the design.
using DesignProgress = std::function<void(std::size_t taps, std::int64_t done, std::int64_t total)>;

/// An edge lies in the middle of its transition, where the gain is one half. The gain is 1 at 0 Hz
/// (lowpass, bandstop), at half the rate (highpass), in the middle (bandpass), or at a quarter of
/// the rate (hilbert). For hilbert the transitions are the bands below `transition_hz` and
/// above half the rate less `transition_hz`, and the attenuation is that of negative frequencies in
/// the analytic signal. Unless `taps` is given, taps are added until the measured attenuation is
/// what was asked for.
/// Throws: Error (kConfiguration) naming the field, its value and what is allowed; and what
/// `progress` throws.
FilterDesign design_filter(const DesignRequest& request, const DesignProgress& progress);

/// The same taps rounded to float, measured again.
FilterDesign rounded_to_float(const DesignRequest& request, const FilterDesign& design,
                              const DesignProgress& progress);

/// Magnitude of the response at `frequency_hz`.
double gain_at(const std::vector<double>& taps, double frequency_hz, double sample_rate_hz);

}  // namespace firbank::program
