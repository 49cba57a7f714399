// ArrayPlan: how a job is cut and computed, within a limit of memory.
//
// Work is shared out in tasks, each of some units, some outputs of theirs and a stretch of frames;
// a thread computes one task at a time and keeps what the next one needs of it: an engine with its
// spectra, or reversed taps. Memory is what all threads have at once; the arrays themselves are not
// counted.
//
// Thread:   any.
// Realtime: no: set-up only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/cost_model.hpp"
#include "engine/offline/array_job.hpp"
#include "engine/partition_plan.hpp"

namespace firbank {

enum class ArrayMethod {
  kDirect,      // sums of products, input by input
  kFrames,      // sums of products over whole frames of a matrix whose channels lie side by side
  kTransforms,  // an engine with PlanGoal::kOffline
};

struct ArrayOptions {
  std::string backend = "auto";  // as EngineConfig::backend
  // 1 to 64; 0: as many as the processor has; for copies to a GPU and home, up to 8.
  std::size_t threads = 0;
  std::uint64_t memory_limit_bytes = 0;  // 0: none
  // Most of each that are computed at once, by one thread; 0: as the plan likes.
  std::uint64_t frames_at_once = 0;
  std::size_t units_at_once = 0;
  std::size_t outputs_at_once = 0;
  std::optional<ArrayMethod> method = {};  // unless given, the cheapest
};

struct ArrayPlan {
  ArrayMethod method = ArrayMethod::kDirect;
  std::string backend;               // "cpu-avx2"
  std::size_t threads = 1;           // that take tasks
  std::size_t copy_threads = 1;      // of an engine on a GPU, which one thread gives its tasks
  std::size_t calls_ahead = 0;       // of such an engine: under way besides the newest
  std::uint64_t frames_at_once = 0;  // of a task
  std::size_t units_at_once = 1;
  std::size_t outputs_at_once = 1;
  std::size_t call_frames = 0;  // that a task computes at a time
  // kTransforms alone: of the longest outputs_at_once outputs, and what an engine is told to get
  // it.
  PartitionPlan partition = {};
  std::uint64_t engine_limit_bytes = 0;
  std::uint64_t engine_frames = 0;
  std::optional<CostModel> costs = {};
  std::uint64_t memory_bytes = 0;  // estimate of all threads together
  bool is_limited = false;         // by ArrayOptions::memory_limit_bytes
  double nanoseconds = 0;          // estimate of processor time; beside a GPU, of time
  std::uint64_t products = 0;      // multiplications of the direct form
};

struct ArrayTraits {
  std::size_t sample_bytes = sizeof(float);  // of the arithmetic: 4 or 8
  bool adjacent_units = false;               // neighbours in memory: better read together
  bool adjacent_inputs = false;  // one unit's inputs are one frame after another: kFrames
};

/// Throws: Error naming the field, its value and what is allowed; of memory_limit_bytes the least
/// that would do.
ArrayPlan plan_array_job(const ArrayJob& job, const ArrayTraits& traits,
                         const ArrayOptions& options);

/// The edges and the kernels of some outputs alone. Edges name outputs and kernels by their place
/// among these; `kernels` tells which ones of the job they are.
struct ArrayPart {
  std::vector<ArrayEdge> edges;
  std::vector<std::size_t> kernels;
  std::size_t longest = 1;  // taps
};
ArrayPart part_of(const ArrayJob& job, std::size_t first_output, std::size_t last_output);

}  // namespace firbank
