// ServeStop: how long what is under way may take once the end was asked for.
//
// Outputs give up by themselves before (io/packet_pipe.hpp, io/tcp_sink.hpp); this is for whatever
// else holds the stream up.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <optional>

#include "demos/firbank/interrupt.hpp"

namespace firbank::program {

class ServeStop {
 public:
  static constexpr std::chrono::seconds kPatience{10};

  /// Whether the end was asked for so long ago that nothing is waited for any more; the time counts
  /// from the first question after that.
  bool is_overdue() {
    if (!interrupt_requested()) return false;
    const auto now = std::chrono::steady_clock::now();
    if (!deadline_) deadline_ = now + kPatience;
    return now >= *deadline_;
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace firbank::program
