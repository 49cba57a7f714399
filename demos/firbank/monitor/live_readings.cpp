#include "demos/firbank/monitor/live_readings.hpp"

#include <array>
#include <utility>

#include "demos/firbank/monitor/live_metrics.hpp"
#include "demos/firbank/monitor/live_readings_json.hpp"
#include "demos/firbank/monitor/page_files.hpp"

namespace firbank::program {

class LiveReadings::Watcher final : public RunWatcher {
 public:
  explicit Watcher(LiveReadings& readings) : readings_(readings) {}

  nlohmann::ordered_json moment() override {
    return moment_json(readings_.session_, readings_.facts(), readings_.spectrum_.spectra());
  }

 private:
  LiveReadings& readings_;
};

std::size_t LiveReadings::tap_samples(double sample_rate_hz) {
  return SpectrumWatch::samples_needed(sample_rate_hz);
}

LiveReadings::LiveReadings(const LiveSession& session, LiveFacts facts)
    : session_(session), facts_(std::move(facts)), spectrum_(session) {}

std::span<const PageFile> LiveReadings::page() const {
  static const std::array files = {
      PageFile{"/", kHtmlType, kLiveHtml},       PageFile{"/page.css", kCssType, kPageCss},
      PageFile{"/live.css", kCssType, kLiveCss}, PageFile{"/page.js", kJsType, kPageJs},
      PageFile{"/live.js", kJsType, kLiveJs},
  };
  return files;
}

std::span<const std::string_view> LiveReadings::changes() const {
  static constexpr std::array<std::string_view, 5> kChanges = {
      "/api/choice", "/api/gain", "/api/bypass", "/api/limiter", "/api/backend"};
  return kChanges;
}

nlohmann::ordered_json LiveReadings::state() {
  return state_json(session_, facts(), spectrum_.centres_hz());
}

nlohmann::ordered_json LiveReadings::stats() {
  return stats_json(session_, facts());
}

std::string LiveReadings::metrics() {
  return live_metrics(session_, facts());
}

std::unique_ptr<RunWatcher> LiveReadings::watch(std::string_view) {
  return std::make_unique<Watcher>(*this);
}

}  // namespace firbank::program
