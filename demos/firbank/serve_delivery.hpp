// ServeDelivery: the thread that takes what comes out of an AcquisitionStream to the outputs, and
// tells how long events took.
//
// Thread: the run's; latency() is for any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "demos/firbank/monitor/serve_watch.hpp"
#include "demos/firbank/serve_arrivals.hpp"
#include "demos/firbank/serve_latency.hpp"
#include "demos/firbank/serve_marks.hpp"
#include "demos/firbank/serve_output.hpp"
#include "engine/acquisition/acquisition_stream.hpp"

namespace firbank::program {

class ServeDelivery {
 public:
  /// What a row of an event has.
  static const std::vector<std::string>& event_columns();

  /// `stream`, `lines` and `watch`, where there is one, outlive it.
  ServeDelivery(AcquisitionStream& stream, std::span<const std::unique_ptr<ServeLine>> lines,
                ServeWatch* watch);
  /// Gives up what has not gone out.
  ~ServeDelivery();
  ServeDelivery(const ServeDelivery&) = delete;
  ServeDelivery& operator=(const ServeDelivery&) = delete;

  /// Another stream begins; none is under way.
  void begin_stream();
  /// A packet of frames [first, end) comes now, with these flags.
  void note_arrival(std::int64_t first, std::int64_t end, BlockFlags flags) {
    arrivals_.add(end);
    marks_.add(first, end, flags);
  }
  /// Whether all that came has gone out, once the stream has been flushed.
  bool is_done() const noexcept { return is_done_; }
  /// Gives up what has not gone out.
  void end_stream();

  ServeLatency& latency() noexcept { return latency_; }

 private:
  void deliver();
  void deliver_events(const AcquiredBlock& block);

  AcquisitionStream& stream_;
  std::vector<ServeLine*> filtered_lines_;
  std::vector<ServeLine*> event_lines_;
  ServeWatch* watch_;
  ServeArrivals arrivals_;
  ServeMarks marks_;
  ServeLatency latency_;
  std::vector<std::vector<double>> columns_;
  std::int64_t events_before_ = 0;
  std::atomic<bool> gives_up_{false};
  std::atomic<bool> is_done_{false};  // with the stream, to its end
  std::thread thread_;
};

}  // namespace firbank::program
