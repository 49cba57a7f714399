#include "demos/firbank/bench/latency/paced_loop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <sys/resource.h>

#include "demos/firbank/bench/machine/clock.hpp"

namespace firbank::program {
namespace {

struct Switches {
  long yields = 0;
  long interruptions = 0;
};

Switches thread_switches() noexcept {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return {usage.ru_nvcsw, usage.ru_nivcsw};
}

std::uint64_t elapsed(std::int64_t ns) noexcept {
  return static_cast<std::uint64_t>(std::max(ns, std::int64_t{0}));
}

template <class To, class From>
To clamped(From value) noexcept {
  constexpr auto kMost = static_cast<From>(std::numeric_limits<To>::max());
  return static_cast<To>(std::clamp(value, From{0}, kMost));
}

/// Whether it slept: a block that is due already is not waited for.
bool wait_until(std::int64_t due_ns, std::int64_t spin_ns) noexcept {
  if (now_ns() >= due_ns) return false;
  sleep_until_ns(due_ns - spin_ns);
  while (now_ns() < due_ns) {
  }
  return true;
}

/// Whether a stream falls behind for good. After a single stall, however long, it catches up.
class Lag {
 public:
  /// True when as many blocks as are looked at together, none of which was slept for, ended later
  /// behind than they began, and by more than is borne.
  bool grows_after(const BlockTimes& block) noexcept {
    if (block.slept) behind_ = 0;
    const std::uint64_t lag_ns = block.end_to_end_ns();
    if (behind_++ % kTogether == 0) {
      const bool grows = behind_ > 1 && lag_ns > first_ns_;
      first_ns_ = lag_ns;
      return grows && lag_ns > PacedLoop::kMostBehindNs;
    }
    return false;
  }

 private:
  static constexpr std::size_t kTogether = 20;
  std::size_t behind_ = 0;
  std::uint64_t first_ns_ = 0;
};

/// Of a block that is due: notes what it waited, and what the work takes.
void do_work(PacedWork& work, BlockTimes& block) noexcept {
  block[BlockStage::kWait] = elapsed(now_ns() - block.due_ns);
  const Switches before = thread_switches();
  const std::int64_t cpu_before_ns = process_cpu_ns();
  work.work(block);
  block.cpu_ns = elapsed(process_cpu_ns() - cpu_before_ns);
  const Switches after = thread_switches();
  block.yields = clamped<std::uint16_t>(after.yields - before.yields);
  block.interruptions = clamped<std::uint16_t>(after.interruptions - before.interruptions);
}

}  // namespace

void run_back_to_back(PacedWork& work, std::size_t least, double most_seconds,
                      std::vector<BlockTimes>& times, const std::function<bool()>& stopped) {
  const std::int64_t end_ns = now_ns() + std::llround(1e9 * most_seconds);
  while (times.size() < times.capacity() && !stopped()) {
    BlockTimes block;
    block.number = static_cast<std::int64_t>(times.size());
    block.due_ns = now_ns();
    block.slept = true;  // it waits for none
    do_work(work, block);
    times.push_back(block);
    if (times.size() >= least && now_ns() > end_ns) return;
  }
}

PacedLoop::End PacedLoop::run(PacedWork& work, std::size_t warm_up, std::size_t blocks,
                              std::vector<BlockTimes>& times,
                              const std::function<bool()>& stopped) const {
  Lag lag;
  const std::int64_t first_ns = now_ns();
  for (std::size_t n = 0; n < warm_up + blocks; ++n) {
    if (stopped()) return End::kStopped;
    BlockTimes block;
    block.number = n < warm_up ? -1 : static_cast<std::int64_t>(times.size());
    block.due_ns = first_ns + std::llround(static_cast<double>(n + 1) * pace_.period_ns);
    block.slept = wait_until(block.due_ns, pace_.spin_ns);
    do_work(work, block);
    if (n >= warm_up && times.size() < times.capacity()) times.push_back(block);
    if (lag.grows_after(block)) return End::kOverloaded;
  }
  return End::kDone;
}

}  // namespace firbank::program
