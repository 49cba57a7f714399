// CallTimes: when a device's calls come and how long they take, so that a drop-out can be laid to
// the stage that took the time.
//
// A call is due when the frames of the calls before it have lasted, counted from the latest of the
// calls that came on time: devices that bring several blocks at once, and clocks that are not quite
// the processor's, are on time. A device tells of a drop-out some calls after it has happened, so
// the newest trouble of the last few calls is what it is laid to.
//
// Thread:   one at a time.
// Realtime: safe.
#pragma once

#include <cstdint>

#include "engine/live_events.hpp"

namespace firbank {

class CallTimes {
 public:
  /// A call begins whose frames last `lasts_ns`, above 0.
  void begin(std::int64_t now_ns, double lasts_ns) noexcept;
  /// It is over. True when it took longer than its frames last.
  bool end(std::int64_t now_ns) noexcept;

  /// What a drop-out is laid to that the device tells of at the call that has begun.
  LiveBlame blame() const noexcept;

  /// The next call is on time whenever it comes.
  void restart() noexcept { *this = CallTimes(); }

 private:
  // A driver tells at the next call or the one after; servers with buffers of their own later.
  static constexpr std::uint64_t kBlamedCalls = 8;

  void note(LiveStage stage, double excess_ns) noexcept;

  std::uint64_t calls_ = 0;
  double due_ns_ = 0;  // of the next call
  double lasts_ns_ = 0;
  std::int64_t begun_ns_ = 0;
  double overrun_ns_ = 0;  // of the call before, where it took too long
  LiveBlame newest_;
  std::uint64_t newest_call_ = 0;  // 0: none
};

}  // namespace firbank
