// SpectrumWatch: the spectra of a session's input and output, computed once for all who look.
//
// Thread: any, one after another.
#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include "engine/band_spectrum.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

struct Spectra {
  std::vector<float> input_db;  // by band
  std::vector<float> output_db;
};

class SpectrumWatch {
 public:
  /// Samples that the session's taps have to keep (LiveConfig::tap_samples) at a rate.
  static std::size_t samples_needed(double sample_rate_hz) {
    return BandSpectrum(sample_rate_hz).samples();
  }

  explicit SpectrumWatch(const LiveSession& session)
      : session_(session),
        spectrum_(session.sample_rate_hz()),
        centres_hz_(spectrum_.centres_hz()),
        samples_(spectrum_.samples()) {}

  /// The middles of the bands.
  const std::vector<double>& centres_hz() const noexcept { return centres_hz_; }

  /// At most 50 ms old.
  Spectra spectra();

 private:
  void look(const SampleTap& tap, std::vector<float>& levels_db);

  const LiveSession& session_;
  std::mutex mutex_;
  BandSpectrum spectrum_;
  const std::vector<double> centres_hz_;
  std::vector<float> samples_;
  Spectra newest_;
  std::chrono::steady_clock::time_point fresh_until_;
};

}  // namespace firbank::program
