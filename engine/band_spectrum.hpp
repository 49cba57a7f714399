// BandSpectrum: how loud a signal is in each band of frequencies, as a display shows it.
//
// A Hann window, one Fourier transform, and the power of its bins summed over bands that are a
// sixth of an octave wide. 0 dB is a sine at full scale, wherever it lies; its window spreads it
// over 3 bins, which below some 100 Hz are more than a band.
//
// Thread:   one at a time.
// Realtime: no: computing takes a millisecond or so. For whoever watches, not for a callback.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace firbank {

class BandSpectrum {
 public:
  static constexpr double kFloorDb = -160;

  /// For a stream of `sample_rate_hz` (above 0).
  explicit BandSpectrum(double sample_rate_hz);

  /// Samples that a spectrum is made of: a power of two, about 0.17 s.
  std::size_t samples() const noexcept { return window_.size(); }

  /// The middles of the bands, rising: 1000 Hz times powers of 2^(1/6), from 25 Hz or 4 bins, as
  /// far as they end below half the rate, and below 22 kHz.
  const std::vector<double>& centres_hz() const noexcept { return centres_hz_; }

  /// One level in dB a band, of samples() samples, which are finite; kFloorDb and up.
  std::vector<float> levels_db(const float* samples);

 private:
  double power(double from_bin, double to_bin) const;

  double bin_hz_;
  std::vector<double> window_;
  double scale_;  // from the squares of bins to a power in which a full sine has 1
  std::vector<double> centres_hz_;
  std::vector<std::complex<double>> bins_;
};

}  // namespace firbank
