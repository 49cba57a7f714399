// LatencySummary: what the times of many blocks say: quantiles of each stage, deadlines missed and
// why, and the course over time.
//
// Thread: one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "demos/firbank/bench/latency/block_times.hpp"
#include "demos/firbank/bench/latency/duration_summary.hpp"
#include "demos/firbank/bench/latency/latency_run.hpp"

namespace firbank::program {

/// Why a block was late: what took the largest part of its time; of its work alone, where that was
/// too long by itself.
enum class MissCause : std::uint8_t {
  kComputing,    // the processor worked on it
  kYielding,     // the thread waited for something in the midst of it
  kInterrupted,  // the processor was taken from the thread in the midst of it
  kWokenLate,    // the machine began it late
  kBehind,       // the block before it was late, and it would not have been
};
inline constexpr std::size_t kMissCauses = 5;

/// "computing", "yielding", "interrupted", "woken_late", "behind".
const char* key_of(MissCause cause) noexcept;

struct DeadlineMiss {
  std::int64_t block = 0;  // its number
  std::int64_t due_ns = 0;
  std::uint64_t end_to_end_ns = 0;
  MissCause cause = MissCause::kComputing;
};

/// Of some successive blocks.
struct SeriesPoint {
  std::int64_t due_ns = 0;  // of the first one
  std::uint64_t p50_ns = 0;
  std::uint64_t max_ns = 0;
};

struct LatencySummary {
  std::uint64_t blocks = 0;
  DurationSummary wake_up;  // of blocks that were slept for
  std::array<DurationSummary, kBlockStages> stages;
  DurationSummary work;       // ingest to publish
  DurationSummary processor;  // what of it processors spent, on all threads
  DurationSummary end_to_end;
  std::vector<DeadlineMiss> misses;  // all of them
  std::array<std::uint64_t, kMissCauses> causes{};
  std::vector<SeriesPoint> series;  // of end to end; at most kSeriesPoints
};
inline constexpr std::size_t kSeriesPoints = 1'000;

/// A block is late that ends when the next one is due or after.
LatencySummary summarise(std::span<const BlockTimes> times, double deadline_ns);

/// Of one segment, exact.
struct SegmentSummary {
  bool empty = false;
  std::int64_t begin_ns = 0;
  std::uint64_t blocks = 0;
  std::uint64_t p50_ns = 0;  // of end to end
  std::uint64_t p99_ns = 0;
  std::uint64_t max_ns = 0;
  std::uint64_t processor_p50_ns = 0;
  std::uint64_t misses = 0;
};

std::vector<SegmentSummary> summarise_segments(const LatencyRun& run, double deadline_ns);

/// Whether the run is worth judging the engine by, and what of the machine to know before.
struct Verdict {
  bool usable = true;
  std::vector<std::string> reasons;
};

/// `empty` is null where no empty loop was measured; blocks that are not paced are never late.
Verdict judge(const LatencyRun& run, const LatencySummary& engine, const LatencySummary* empty,
              const std::vector<SegmentSummary>& segments, double deadline_ns, bool paced = true);

}  // namespace firbank::program
