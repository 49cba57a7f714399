// ServeReadings: a run of `firbank serve` as its monitor shows it: how it stands, as its loop told
// last, and what there is to see of the samples that go out.
//
// Channels are told from 0 on, as in the rows of events.
//
// Thread:   publish(): the run's loop. All else: any.
// Realtime: no; neither the filters' thread nor the one that delivers waits for anybody here.
#pragma once

#include <utility>

#include "demos/firbank/monitor/board.hpp"
#include "demos/firbank/monitor/monitored_run.hpp"
#include "demos/firbank/monitor/serve_facts.hpp"
#include "demos/firbank/monitor/serve_watch.hpp"
#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

class ServeReadings final : public MonitoredRun {
 public:
  /// `watch` has to outlive it.
  ServeReadings(ServeFacts facts, ServeWatch& watch, ServeStatus status);

  /// What is shown from now on.
  void publish(ServeStatus status) { status_.put(std::move(status)); }

  std::span<const PageFile> page() const override;
  std::span<const std::string_view> changes() const override;
  nlohmann::ordered_json state() override;
  nlohmann::ordered_json stats() override;
  std::string metrics() override;
  /// Sees the channels of parse_window().
  std::unique_ptr<RunWatcher> watch(std::string_view query) override;

 private:
  class Watcher;

  const ServeFacts facts_;
  ServeWatch& watch_;
  Board<ServeStatus> status_;
};

}  // namespace firbank::program
