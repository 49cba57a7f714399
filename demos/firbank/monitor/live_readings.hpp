// LiveReadings: a live run as its monitor shows it: the session's readings, the spectra of what it
// hears and plays, and what its loop told of it last.
//
// Thread:   publish(): the run's loop. All else: any.
// Realtime: the session's callback is never touched: its readings have no locks.
#pragma once

#include <cstddef>

#include "demos/firbank/monitor/board.hpp"
#include "demos/firbank/monitor/live_facts.hpp"
#include "demos/firbank/monitor/monitored_run.hpp"
#include "demos/firbank/monitor/spectrum_watch.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

class LiveReadings final : public MonitoredRun {
 public:
  /// For LiveConfig::tap_samples.
  static std::size_t tap_samples(double sample_rate_hz);

  /// `session` has to outlive it.
  LiveReadings(const LiveSession& session, LiveFacts facts);

  /// What is shown from now on.
  void publish(LiveFacts facts) { facts_.put(std::move(facts)); }
  LiveFacts facts() const { return facts_.get(); }

  std::span<const PageFile> page() const override;
  std::span<const std::string_view> changes() const override;
  nlohmann::ordered_json state() override;
  nlohmann::ordered_json stats() override;
  std::string metrics() override;
  /// All are told the same, whatever the query.
  std::unique_ptr<RunWatcher> watch(std::string_view query) override;

 private:
  class Watcher;

  const LiveSession& session_;
  Board<LiveFacts> facts_;
  SpectrumWatch spectrum_;
};

}  // namespace firbank::program
