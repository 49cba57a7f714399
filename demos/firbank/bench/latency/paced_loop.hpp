// PacedLoop: lets work begin every so often, on an absolute timeline, and notes where the time of
// each block went.
//
// Block n is due n periods after the first one, whatever happened before. A block that comes late
// is worked on at once, and so are those that became due meanwhile; none is left out. So what a
// listener would have waited is what is counted (no coordinated omission).
//
// Thread:   one.
// Realtime: run() does not allocate; it sleeps between blocks and asks the system for the thread's
//           counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "demos/firbank/bench/latency/block_times.hpp"

namespace firbank::program {

class PacedWork {
 public:
  virtual ~PacedWork() = default;
  /// Does a block's work and fills what it took, from ingest to publish.
  virtual void work(BlockTimes& times) noexcept = 0;
};

/// The machine's own part: nothing at all is done.
class EmptyWork final : public PacedWork {
 public:
  void work(BlockTimes&) noexcept override {}
};

struct Pace {
  double period_ns = 1e6;
  std::int64_t spin_ns =
      0;  // before a block is due, in which it does not sleep but looks at the clock
};

/// The same without a pace, each block being due when it is begun: works on one block after the
/// other and appends their times, until `times` is full, or `most_seconds` have passed and `least`
/// blocks are there.
void run_back_to_back(PacedWork& work, std::size_t least, double most_seconds,
                      std::vector<BlockTimes>& times, const std::function<bool()>& stopped);

class PacedLoop {
 public:
  enum class End {
    kDone,
    kOverloaded,  // blocks came later and later, until they were kMostBehindNs behind
    kStopped,
  };
  static constexpr std::uint64_t kMostBehindNs = 1'000'000'000;

  explicit PacedLoop(const Pace& pace) : pace_(pace) {}

  /// Works on `warm_up` blocks that are not counted and then on `blocks` that are, the first one
  /// due a period from now; the times of the latter are appended to `times` as far as its capacity
  /// goes, their numbers being their places there. `stopped` is asked before each block.
  End run(PacedWork& work, std::size_t warm_up, std::size_t blocks, std::vector<BlockTimes>& times,
          const std::function<bool()>& stopped) const;

 private:
  Pace pace_;
};

}  // namespace firbank::program
