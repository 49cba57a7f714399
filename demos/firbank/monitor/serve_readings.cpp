#include "demos/firbank/monitor/serve_readings.hpp"

#include <array>

#include "demos/firbank/monitor/channel_window.hpp"
#include "demos/firbank/monitor/page_files.hpp"
#include "demos/firbank/monitor/serve_metrics.hpp"
#include "demos/firbank/monitor/serve_readings_json.hpp"

namespace firbank::program {

class ServeReadings::Watcher final : public RunWatcher {
 public:
  Watcher(ServeReadings& readings, const ChannelWindow& window)
      : readings_(readings), window_(window) {
    readings_.watch_.look();
  }

  nlohmann::ordered_json moment() override {
    readings_.watch_.look();
    const ServeStatus status = readings_.status_.get();
    const ServeWatch::View view = readings_.watch_.see(place_, window_.first, window_.count);
    return moment_json(status, window_, view, std::exchange(losses_told_, status.losses));
  }

 private:
  ServeReadings& readings_;
  const ChannelWindow window_;
  ServeWatch::Place place_;
  std::uint64_t losses_told_ = 0;
};

ServeReadings::ServeReadings(ServeFacts facts, ServeWatch& watch, ServeStatus status)
    : facts_(std::move(facts)), watch_(watch), status_(std::move(status)) {}

std::span<const PageFile> ServeReadings::page() const {
  static const std::array files = {
      PageFile{"/", kHtmlType, kServeHtml},        PageFile{"/page.css", kCssType, kPageCss},
      PageFile{"/serve.css", kCssType, kServeCss}, PageFile{"/page.js", kJsType, kPageJs},
      PageFile{"/traces.js", kJsType, kTracesJs},  PageFile{"/serve.js", kJsType, kServeJs},
  };
  return files;
}

std::span<const std::string_view> ServeReadings::changes() const {
  static constexpr std::array<std::string_view, 1> kChanges = {"/api/bad"};
  return kChanges;
}

nlohmann::ordered_json ServeReadings::state() {
  return state_json(facts_, status_.get(), watch_);
}

nlohmann::ordered_json ServeReadings::stats() {
  return stats_json(status_.get());
}

std::string ServeReadings::metrics() {
  return serve_metrics(status_.get());
}

std::unique_ptr<RunWatcher> ServeReadings::watch(std::string_view query) {
  return std::make_unique<Watcher>(*this, parse_window(query, watch_.channels()));
}

}  // namespace firbank::program
