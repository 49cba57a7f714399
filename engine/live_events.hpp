// LiveEvents: what went wrong in a live stream, and when: the newest few, for any thread to read.
//
// Thread:   add(): one at a time. newest(), count(): any, without a lock.
// Realtime: add() is safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace firbank {

/// Where the time of a drop-out went.
enum class LiveStage : std::uint32_t {
  kWait,     // the call came late: the device's thread was not woken, or held up elsewhere
  kCompute,  // the call took longer than its frames last
  kDevice,   // a GPU, or the way to it and back, answered too late
  kCard,     // the sound card or its server: the calls came and went in time
};
constexpr std::size_t kLiveStages = 4;

struct LiveBlame {
  LiveStage stage = LiveStage::kCard;
  // By how much the stage took too long; of a gap, how long it was; otherwise 0 for kCard.
  std::int64_t excess_ns = 0;
};

enum class LiveEventKind : std::uint32_t {
  kInputOverflow,    // the device lost input
  kInputUnderflow,   // the device had too little input, and put in silence
  kOutputUnderflow,  // the device had nothing to play
  kOutputOverflow,   // the device threw output away
  kLateCall,         // a call took longer than its frames last
  kLateAnswer,       // frames are silent or wrong, as a GPU, or its rings, were not in time
  kGap,              // the device was away
};
constexpr std::size_t kLiveEventKinds = 7;

struct LiveEvent {
  LiveEventKind kind = LiveEventKind::kInputOverflow;
  std::int64_t frame = 0;    // of the stream, at which it was noticed
  std::int64_t time_ns = 0;  // since the session was made
  LiveBlame blame;           // which stage took the time
};

class LiveEvents {
 public:
  static constexpr std::size_t kKept = 64;

  void add(const LiveEvent& event) noexcept {
    const std::uint64_t number = begun_.load(std::memory_order_relaxed);
    begun_.store(number + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    Slot& slot = slots_[number % kKept];
    slot.kind.store(event.kind, std::memory_order_relaxed);
    slot.frame.store(event.frame, std::memory_order_relaxed);
    slot.time_ns.store(event.time_ns, std::memory_order_relaxed);
    slot.stage.store(event.blame.stage, std::memory_order_relaxed);
    slot.excess_ns.store(event.blame.excess_ns, std::memory_order_relaxed);
    const auto kind = static_cast<std::size_t>(event.kind);
    counts_[kind].store(counts_[kind].load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    done_.store(number + 1, std::memory_order_release);
  }

  std::uint64_t count(LiveEventKind kind) const noexcept {
    return counts_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  }

  /// At most kKept, oldest first. Allocates.
  std::vector<LiveEvent> newest() const {
    const std::uint64_t last = done_.load(std::memory_order_acquire);
    const std::uint64_t first = last > kKept ? last - kKept : 0;
    std::vector<LiveEvent> events;
    for (std::uint64_t number = first; number < last; ++number) {
      const Slot& slot = slots_[number % kKept];
      events.push_back({slot.kind.load(std::memory_order_relaxed),
                        slot.frame.load(std::memory_order_relaxed),
                        slot.time_ns.load(std::memory_order_relaxed),
                        {slot.stage.load(std::memory_order_relaxed),
                         slot.excess_ns.load(std::memory_order_relaxed)}});
    }
    // What was written over meanwhile is left out: its parts may not belong together.
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::uint64_t begun = begun_.load(std::memory_order_relaxed);
    const std::uint64_t safe = begun > kKept ? begun - kKept : 0;
    const std::uint64_t spoiled = safe > first ? safe - first : 0;
    const auto count = static_cast<std::ptrdiff_t>(
        spoiled < events.size() ? spoiled : static_cast<std::uint64_t>(events.size()));
    events.erase(events.begin(), events.begin() + count);
    return events;
  }

 private:
  struct Slot {
    std::atomic<LiveEventKind> kind{LiveEventKind::kInputOverflow};
    std::atomic<std::int64_t> frame{0};
    std::atomic<std::int64_t> time_ns{0};
    std::atomic<LiveStage> stage{LiveStage::kCard};
    std::atomic<std::int64_t> excess_ns{0};
  };

  std::array<Slot, kKept> slots_;
  std::array<std::atomic<std::uint64_t>, kLiveEventKinds> counts_{};
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> done_{0};
};

}  // namespace firbank
