// BlockTimes: when one block of a paced stream was due, and where its time went.
#pragma once

#include <array>
#include <cstdint>

namespace firbank::program {

/// What happens to a block, in this order.
enum class BlockStage : std::uint8_t {
  kWait,        // from when it is due, its last sample being there, until work on it begins
  kIngest,      // its samples come into the engine's planes
  kToDevice,    // it is handed to a device; none on a CPU
  kCompute,     // until its answer is there
  kFromDevice,  // the answer is fetched from a device; none on a CPU
  kPublish,     // it goes to whoever wants it
};
inline constexpr std::size_t kBlockStages = 6;

struct BlockTimes {
  std::int64_t number = 0;  // of those that are counted; negative: one that is not
  std::int64_t due_ns = 0;  // by now_ns()
  std::array<std::uint64_t, kBlockStages> stage_ns{};
  std::uint64_t cpu_ns = 0;         // of processors, on all threads of the process, meanwhile
  std::uint16_t yields = 0;         // times that the thread gave the processor up in the work
  std::uint16_t interruptions = 0;  // times that it was taken from it
  bool slept = false;  // for it: false where the block before ended after this one was due

  std::uint64_t& operator[](BlockStage stage) noexcept {
    return stage_ns[static_cast<std::size_t>(stage)];
  }
  std::uint64_t operator[](BlockStage stage) const noexcept {
    return stage_ns[static_cast<std::size_t>(stage)];
  }

  /// From the beginning of the work to its end.
  std::uint64_t work_ns() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t s = 1; s < kBlockStages; ++s) sum += stage_ns[s];
    return sum;
  }
  /// From when it was due: a block that waited for a late one before it counts its wait.
  std::uint64_t end_to_end_ns() const noexcept { return stage_ns[0] + work_ns(); }
};

}  // namespace firbank::program
