#include "demos/firbank/monitor/spectrum_watch.hpp"

namespace firbank::program {

Spectra SpectrumWatch::spectra() {
  constexpr auto kFresh = std::chrono::milliseconds(50);
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now >= fresh_until_) {
    look(session_.input_tap(), newest_.input_db);
    look(session_.output_tap(), newest_.output_db);
    fresh_until_ = now + kFresh;
  }
  return newest_;
}

/// Leaves the levels as they were when the callback was too fast to be read.
void SpectrumWatch::look(const SampleTap& tap, std::vector<float>& levels_db) {
  if (tap.kept() < samples_.size() || !tap.newest(samples_.data(), samples_.size())) {
    if (levels_db.empty()) {
      levels_db.assign(centres_hz_.size(), static_cast<float>(BandSpectrum::kFloorDb));
    }
    return;
  }
  levels_db = spectrum_.levels_db(samples_.data());
}

}  // namespace firbank::program
