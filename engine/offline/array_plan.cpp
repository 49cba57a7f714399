#include "engine/offline/array_plan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/config.hpp"
#include "engine/copy_threads.hpp"
#include "engine/cost_model.hpp"
#include "engine/filter_sizes.hpp"
#include "engine/offline/array_worker.hpp"
#include "engine/plan_memory.hpp"
#include "engine/planner.hpp"
#include "engine/routing.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxThreads = 64;
constexpr std::size_t kDirectCall = 4'096;       // frames: input and output lie in the first caches
constexpr std::size_t kLeastDirectCall = 64;     // frames that fill the kernels' tiles
constexpr std::size_t kUnitsSideBySide = 16;     // floats of a cache line
constexpr std::size_t kMostOutputsAtOnce = 64;   // whose blocks lie in the second cache
constexpr double kFramesAGroup = 1e6;            // that repay an engine of own kernels
constexpr std::uint64_t kLeastStretch = 32'768;  // samples that repay a task
// What a job and its arrays take to be described, measured in Python, and a thread's part of it.
constexpr double kEdgeBytes = 128;
constexpr double kOutputBytes = 96;
constexpr double kPartEdgeBytes = 64;
constexpr std::size_t kCallsAhead = 2;  // on a GPU: one comes, one is computed, one goes home
constexpr double kThreadNs = 150'000;   // work that repays a thread
constexpr double kTransformNs = 0.1;    // of a sample, at any size
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

// Fitted to what 200 jobs of floats took on a processor with AVX-512, to within a third of nearly
// all; only their ratios matter. Doubles take nearly twice as long.
constexpr double kDirectProductNs = 0.0097;
constexpr double kDirectInputNs = 0.11;   // of a sample
constexpr double kDirectEdgeNs = 0.17;    // of a sample of an edge's output
constexpr double kDirectOutputNs = 0.07;  // of a sample
constexpr double kEngineShare = 0.73;     // of what its plan estimates
constexpr double kEngineInputNs = 0.27;   // of a sample, besides
constexpr double kEngineOutputNs = 0.26;  // of a sample, besides
constexpr double kEngineNs = 42'000;
// To read a kernel, and to plan for it and transform it.
constexpr double kDirectKernelNs = 250;
constexpr double kDirectTapNs = 1;
constexpr double kEngineKernelNs = 1'000;
constexpr double kEngineTapNs = 2.5;
constexpr double kDoubleShare = 1.95;

/// What is computed at once, of which there may be less where memory is scarce.
struct Cut {
  std::size_t threads = 1;
  std::size_t units = 1;
  std::size_t outputs = 1;
  std::size_t call = kDirectCall;
  std::size_t ahead = 0;  // calls of a GPU's that are under way besides the newest
};

/// Frames are shared out in stretches where there are few units and outputs.
struct Stretches {
  std::uint64_t least_frames;
  std::size_t of_thread;
};

std::size_t ceil_div(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kConfiguration, message);
}

bool is_on_gpu(const ArrayOptions& options) {
  return options.backend.starts_with("cuda");
}

void check(const ArrayJob& job, const ArrayOptions& options) {
  if (options.threads > kMaxThreads) {
    refuse(fmt::format("threads is {}; allowed: 1 to {}", options.threads, kMaxThreads));
  }
  // Or else a processor would compute what a device was asked for.
  const bool is_transforms =
      options.method.value_or(ArrayMethod::kTransforms) == ArrayMethod::kTransforms;
  if (is_on_gpu(options) && !is_transforms) {
    refuse(fmt::format("method is {}; allowed with device '{}': auto, fft",
                       *options.method == ArrayMethod::kDirect ? "direct" : "frames",
                       options.backend));
  }
  for (const std::size_t taps : job.taps) {
    if (taps == 0) refuse("a kernel has 0 taps; allowed: 1 or more");
  }
}

class Planner {
 public:
  Planner(const ArrayJob& job, const ArrayTraits& traits, const ArrayOptions& options)
      : job_(job),
        traits_(traits),
        options_(options),
        limit_(options.memory_limit_bytes == 0 ? kNoLimit : options.memory_limit_bytes),
        units_(job.unit_count()),
        outputs_(job.outputs()),
        longest_(job.longest()),
        taps_(std::accumulate(job.taps.begin(), job.taps.end(), std::uint64_t{0})),
        window_(job.all_windows()),
        on_gpu_(is_on_gpu(options)) {
    std::vector<std::uint64_t> of_output(outputs_, 0);
    for (const ArrayEdge& edge : job.edges) {
      of_output[edge.output] += job.taps[edge.kernel];
      edge_frames_ += job.windows[edge.output].count * units_;
    }
    for (std::size_t o = 0; o < outputs_; ++o) {
      products_ += of_output[o] * job.windows[o].count * units_;
    }
    std::sort(of_output.begin(), of_output.end(), std::greater<>());
    most_taps_.resize(outputs_ + 1);
    std::partial_sum(of_output.begin(), of_output.end(), most_taps_.begin() + 1);
    if (const auto backend = make_backend(options.backend)) {
      abilities_ = abilities_of(*backend, traits.sample_bytes);
    }
  }

  ArrayPlan plan() {
    const auto wanted = [&](ArrayMethod method) {
      return options_.method ? *options_.method == method
                             : !on_gpu_ || method == ArrayMethod::kTransforms;
    };
    std::optional<ArrayPlan> best;
    const auto offer = [&](std::optional<ArrayPlan> plan) {
      if (!plan) return;
      if (best && plan->nanoseconds >= best->nanoseconds) return;
      best = std::move(plan);
    };
    const bool by_frames = traits_.adjacent_inputs && job_.inputs > 1;
    if (by_frames && wanted(ArrayMethod::kFrames)) offer(of_frames());
    if (wanted(ArrayMethod::kDirect)) offer(direct());
    // Where transforms cannot pay, none are looked for: small jobs are planned in no time.
    const bool is_clear = best && best->nanoseconds < least_of_transforms() && !options_.method;
    if (wanted(ArrayMethod::kTransforms) && !is_clear) offer(transforms());
    if (!best && least_ == kNoLimit) {
      refuse("the method is for matrices whose channels lie side by side, and not for this job");
    }
    if (!best) {
      refuse(fmt::format("memory_limit is {} bytes; this needs at least {}", limit_, least_));
    }
    best->products = products_;
    best->is_limited = limit_ != kNoLimit;
    return *std::move(best);
  }

 private:
  /// Of doubles against floats.
  double width() const { return traits_.sample_bytes == sizeof(float) ? 1.0 : kDoubleShare; }
  double inputs_all() const {
    return static_cast<double>(job_.frames) * static_cast<double>(units_) *
           static_cast<double>(job_.inputs);
  }
  double outputs_all() const {
    double frames = 0;
    for (const ArrayWindow& window : job_.windows) frames += static_cast<double>(window.count);
    return frames * static_cast<double>(units_);
  }

  double kernels_all(double kernel_ns, double tap_ns) const {
    const auto taps = static_cast<double>(taps_);
    const double sets = job_.own_kernels ? static_cast<double>(units_) : 1.0;
    return sets * (kernel_ns * static_cast<double>(job_.taps.size()) + tap_ns * taps);
  }

  double samples(double count) const { return count * static_cast<double>(traits_.sample_bytes); }

  std::size_t direct_call() const {
    const std::uint64_t frames = std::max<std::uint64_t>(window_.count, kLeastDirectCall);
    return static_cast<std::size_t>(std::min<std::uint64_t>(frames, kDirectCall));
  }

  /// As much at once as is fast, and as the options let.
  Cut cut(std::size_t units, std::size_t outputs, std::size_t call) const {
    Cut cut;
    cut.units = std::clamp<std::size_t>(units, 1, std::max<std::size_t>(units_, 1));
    cut.outputs = std::clamp<std::size_t>(outputs, 1, std::max<std::size_t>(outputs_, 1));
    cut.call = call;
    if (options_.units_at_once > 0) cut.units = std::min(cut.units, options_.units_at_once);
    if (options_.outputs_at_once > 0) cut.outputs = std::min(cut.outputs, options_.outputs_at_once);
    const std::size_t here = std::max(1U, std::thread::hardware_concurrency());
    cut.threads = options_.threads > 0 ? options_.threads : std::min(here, kMaxThreads);
    if (on_gpu_) {
      cut.threads = 1;  // all of it is one engine's
      cut.ahead = kCallsAhead;
    }
    return cut;
  }

  /// Less of something, in the order of what it costs; false when there is no less.
  static bool shrink(Cut& cut, std::size_t least_call) {
    const auto halve = [](std::size_t& value, std::size_t least) {
      if (value <= least) return false;
      value = std::max((value + 1) / 2, least);
      return true;
    };
    return halve(cut.units, 1) || halve(cut.outputs, 8) || halve(cut.threads, 1) ||
           std::exchange(cut.ahead, 0) > 0 || halve(cut.call, least_call) || halve(cut.outputs, 1);
  }

  double description_bytes(const Cut& cut) const {
    const auto edges = static_cast<double>(job_.edges.size());
    const auto outputs = static_cast<double>(outputs_);
    const double part =
        static_cast<double>(std::min(cut.outputs, outputs_)) / std::max(outputs, 1.0);
    return edges * kEdgeBytes + outputs * kOutputBytes +
           static_cast<double>(cut.threads) * part * edges * kPartEdgeBytes;
  }

  double direct_bytes(const Cut& cut) const {
    const auto call = static_cast<double>(cut.call);
    const auto units = static_cast<double>(cut.units);
    const double history = call + static_cast<double>(longest_);
    double planes = samples(units * static_cast<double>(job_.inputs) * history + history);
    planes += samples(units * static_cast<double>(cut.outputs) * call);
    const double taps = samples(static_cast<double>(most_taps_[std::min(cut.outputs, outputs_)]));
    const double reversed = taps * (job_.own_kernels ? units : 1);
    const double read = 8.0 * static_cast<double>(longest_);
    return description_bytes(cut) + static_cast<double>(cut.threads) * (planes + reversed + read);
  }

  std::optional<ArrayPlan> direct() {
    // What is copied is copied together with its neighbours.
    const std::size_t side_by_side = traits_.adjacent_units ? kUnitsSideBySide : 1;
    Cut at_once = cut(side_by_side, kMostOutputsAtOnce, direct_call());
    while (direct_bytes(at_once) > static_cast<double>(limit_)) {
      if (!shrink(at_once, kLeastDirectCall)) {
        note_least(direct_bytes(at_once));
        return std::nullopt;
      }
    }
    ArrayPlan plan;
    plan.method = ArrayMethod::kDirect;
    plan.memory_bytes = static_cast<std::uint64_t>(direct_bytes(at_once));
    plan.nanoseconds =
        kernels_all(kDirectKernelNs, kDirectTapNs) +
        width() *
            (static_cast<double>(products_) * kDirectProductNs + inputs_all() * kDirectInputNs +
             static_cast<double>(edge_frames_) * kDirectEdgeNs + outputs_all() * kDirectOutputNs);
    finish(plan, at_once, stretches());
    return plan;
  }

  std::optional<ArrayPlan> of_frames() {
    Cut at_once = cut(1, 1, direct_call());
    const double kept = samples(static_cast<double>(job_.inputs) * static_cast<double>(longest_) +
                                static_cast<double>(frames_worker_copies(job_))) +
                        8.0 * static_cast<double>(longest_);
    const auto bytes = [&] {
      return description_bytes(at_once) + static_cast<double>(at_once.threads) *
                                              (kept + samples(static_cast<double>(at_once.call)));
    };
    while (bytes() > static_cast<double>(limit_)) {
      if (!shrink(at_once, kLeastDirectCall)) {
        note_least(bytes());
        return std::nullopt;
      }
    }
    ArrayPlan plan;
    plan.method = ArrayMethod::kFrames;
    plan.memory_bytes = static_cast<std::uint64_t>(bytes());
    plan.nanoseconds = width() * static_cast<double>(products_) * kDirectProductNs;
    finish(plan, at_once, {kLeastStretch / job_.inputs + 1, 4});
    return plan;
  }

  std::optional<ArrayPlan> transforms() {
    std::size_t units = 1;
    if (job_.own_kernels) {
      const double frames = std::max(static_cast<double>(window_.count), 1.0);
      units = static_cast<std::size_t>(std::min(std::ceil(kFramesAGroup / frames), 64.0));
    }
    if (traits_.adjacent_units) units = std::max(units, kUnitsSideBySide);
    if (on_gpu_) units = units_;
    const bool is_matrix = job_.inputs > 2;
    Cut at_once = cut(units, is_matrix ? outputs_ : kMostOutputsAtOnce, 0);
    share_out(at_once);
    // Then no engine is looked for, which takes seconds among a million edges; unless nothing else
    // can tell the least that would do.
    const bool is_least_known = least_ != kNoLimit;
    if (is_least_known && description_bytes({}) > static_cast<double>(limit_)) return std::nullopt;
    for (;;) {
      try {
        if (auto plan = transforms(at_once, kNoLimit)) return plan;
      } catch (const Error&) {
        // A device may have too little memory for all at once.
        if (!on_gpu_ || !shrink(at_once, 0)) throw;
        continue;
      }
      if (!shrink(at_once, 0)) break;
    }
    return smaller(at_once, is_least_known);
  }

  /// With smaller transforms: where all else is small, what is left to save is in them. Plan by
  /// plan, each with less than the one before: what an engine takes is not all that counts. Where
  /// no engine is within the limit, and nothing else tells the least that would do, those beyond it
  /// do.
  std::optional<ArrayPlan> smaller(const Cut& at_once, bool is_least_known) {
    constexpr int kMostPlans = 32;
    const auto descend = [&](std::uint64_t budget) -> std::optional<ArrayPlan> {
      for (int attempt = 0; attempt < kMostPlans && budget > 0; ++attempt) {
        try {
          if (auto plan = transforms(at_once, budget)) return plan;
        } catch (const Error&) {
          break;
        }
        budget = std::min(budget, engine_bytes_) - 1;
      }
      return std::nullopt;
    };
    if (auto plan = descend(limit_)) return plan;
    return is_least_known ? std::nullopt : descend(engine_bytes_ - 1);
  }

  /// What transforms take at the very least, and the planning of them.
  double least_of_transforms() const {
    return kEngineNs + kernels_all(kEngineKernelNs, kEngineTapNs) +
           width() * (inputs_all() * (kEngineInputNs + kTransformNs) +
                      outputs_all() * (kEngineOutputNs + kTransformNs));
  }

  /// Outputs of one unit are work for all threads. Kernels of many sizes are shared out more
  /// finely, so that all threads end together.
  void share_out(Cut& at_once) const {
    const bool is_even = taps_ == longest_ * job_.taps.size();
    const std::size_t tasks = at_once.threads * (is_even ? 2 : 4);
    if (job_.inputs > 2 || ceil_div(units_, at_once.units) >= at_once.threads) return;
    const std::size_t groups = std::max<std::size_t>(1, ceil_div(units_, at_once.units));
    at_once.outputs = std::min(at_once.outputs, ceil_div(outputs_ * groups, tasks));
    at_once.outputs = std::max<std::size_t>(at_once.outputs, 1);
  }

  /// The plan with at most `engine_bytes` of an engine; none when memory_limit is passed. Of
  /// several batches of outputs, for the one with the longest kernel and for the one with the most
  /// taps.
  std::optional<ArrayPlan> transforms(const Cut& at_once, std::uint64_t engine_bytes) {
    std::optional<ArrayPlan> largest;
    for (const std::size_t first : batches_to_plan(at_once.outputs)) {
      const std::size_t last = std::min(first + at_once.outputs, outputs_);
      auto plan = transforms(at_once, part_of(job_, first, last), engine_bytes);
      if (!plan) return std::nullopt;
      if (!largest || plan->memory_bytes > largest->memory_bytes) largest = std::move(plan);
    }
    return largest;
  }

  std::optional<ArrayPlan> transforms(const Cut& at_once, const ArrayPart& part,
                                      std::uint64_t engine_bytes) {
    EngineConfig config;
    config.goal = PlanGoal::kOffline;
    config.backend = options_.backend;
    config.depth_blocks = at_once.ahead;
    config.gpu_mode = at_once.ahead > 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    config.expected_frames = stretch(at_once, stretches()) + part.longest - 1;
    if (engine_bytes != kNoLimit) config.memory_limit_bytes = engine_bytes;
    if (options_.method) config.costs = without_direct_form();
    std::vector<std::size_t> taps;
    for (const std::size_t kernel : part.kernels) taps.push_back(job_.taps[kernel]);
    const FilterSizes filters(std::move(taps));
    const Routing routing = routing_of(part, at_once);

    ArrayPlan plan;
    plan.method = ArrayMethod::kTransforms;
    plan.partition = choose_plan(config, filters, routing, abilities_);
    engine_bytes_ = plan.partition.memory_samples * traits_.sample_bytes;
    plan.engine_limit_bytes = config.memory_limit_bytes;
    plan.engine_frames = config.expected_frames;
    plan.costs = config.costs;
    Cut used = at_once;
    used.call = std::max<std::size_t>(plan.partition.call_frames, 1);
    plan.memory_bytes =
        static_cast<std::uint64_t>(transform_bytes(part, plan.partition, used, config));
    if (plan.memory_bytes > limit_) {
      note_least(transform_bytes(part, plan.partition, used, config));
      return std::nullopt;
    }
    const auto units = static_cast<double>(ceil_div(units_, at_once.units));
    const auto batches = static_cast<double>(ceil_div(outputs_, at_once.outputs));
    const double frames = static_cast<double>(window_.count) + static_cast<double>(part.longest);
    const double computing = kEngineShare * plan.partition.ns_per_frame * frames * units * batches;
    const double copying =
        (inputs_all() * kEngineInputNs * batches + outputs_all() * kEngineOutputNs) /
        static_cast<double>(copiers());
    // A device computes meanwhile.
    const double both = at_once.ahead > 0 ? std::max(computing, copying) : computing + copying;
    plan.nanoseconds = kEngineNs + width() * both;
    finish(plan, used, stretches());
    plan.copy_threads = copiers();
    plan.calls_ahead = at_once.ahead;
    return plan;
  }

  /// Threads that share the copies for a GPU.
  std::size_t copiers() const {
    if (!on_gpu_) return 1;
    return options_.threads > 0 ? options_.threads : copy_threads();
  }

  double transform_bytes(const ArrayPart& part, const PartitionPlan& partition, const Cut& used,
                         const EngineConfig& config) const {
    const double sets = job_.own_kernels ? static_cast<double>(used.units) : 1.0;
    double taps = 0;
    for (const std::size_t kernel : part.kernels) taps += static_cast<double>(job_.taps[kernel]);
    const auto units = static_cast<double>(used.units);
    const double inputs = units * static_cast<double>(job_.inputs);
    const double outputs = units * static_cast<double>(used.outputs);
    // Outputs of each call that is under way lie apart.
    const double planes = inputs + outputs * static_cast<double>(used.ahead + 1);
    const double scratch = samples((planes + 1) * static_cast<double>(used.call));
    double engine = samples(static_cast<double>(partition.memory_samples));
    // What the host has besides.
    if (on_gpu_) engine += samples(staged_samples(partition, config, inputs, outputs));
    // As they are read, in an engine's bank, and rounded to the engine's samples.
    const double kernels = sets * (2 * 8.0 * taps + samples(taps));
    return description_bytes(used) +
           static_cast<double>(used.threads) * (engine + scratch + kernels);
  }

  /// So that plans of an engine never choose it.
  CostModel without_direct_form() const {
    CostModel costs = abilities_.costs;
    costs.direct_product_ns = 1e6;
    costs.direct_frame_ns = 1e6;
    return costs;
  }

  std::vector<std::size_t> batches_to_plan(std::size_t outputs) const {
    std::size_t longest = 0;
    std::size_t most = 0;
    std::size_t with_longest = 0;
    std::size_t with_most = 0;
    for (std::size_t first = 0; first < outputs_; first += outputs) {
      const ArrayPart part = part_of(job_, first, std::min(first + outputs, outputs_));
      std::size_t taps = 0;
      for (const std::size_t kernel : part.kernels) taps += job_.taps[kernel];
      if (part.longest > longest) {
        longest = part.longest;
        with_longest = first;
      }
      if (taps > most) {
        most = taps;
        with_most = first;
      }
    }
    if (with_longest == with_most) return {with_longest};
    return {with_longest, with_most};
  }

  Routing routing_of(const ArrayPart& part, const Cut& at_once) const {
    std::size_t outputs = 0;
    for (const ArrayEdge& edge : part.edges) outputs = std::max(outputs, edge.output + 1);
    std::vector<Edge> edges;
    for (std::size_t u = 0; u < at_once.units; ++u) {
      for (const ArrayEdge& edge : part.edges) {
        edges.push_back(
            {u * job_.inputs + edge.input, edge.kernel, u * outputs + edge.output, edge.gain, 0});
      }
    }
    return Routing(at_once.units * job_.inputs, at_once.units * outputs, std::move(edges));
  }

  /// Where a task computes, or copies, what its first frames hear of those before them.
  Stretches stretches() const { return {std::max<std::uint64_t>(8 * longest_, kLeastStretch), 2}; }

  /// Frames of a task: all, unless they are wanted in stretches or there would be too few tasks.
  std::uint64_t stretch(const Cut& at_once, const Stretches& stretches) const {
    std::uint64_t frames = std::max<std::uint64_t>(window_.count, 1);
    const std::size_t groups = std::max<std::size_t>(1, ceil_div(units_, at_once.units)) *
                               std::max<std::size_t>(1, ceil_div(outputs_, at_once.outputs));
    const std::size_t wanted = stretches.of_thread * at_once.threads;
    if (groups < wanted && at_once.threads > 1) {
      const std::size_t parts = ceil_div(wanted, groups);
      const std::uint64_t tiles = ceil_div(ceil_div(frames, parts), kLeastDirectCall);
      frames = std::min(frames, std::max(tiles * kLeastDirectCall, stretches.least_frames));
    }
    if (options_.frames_at_once > 0) frames = std::min(frames, options_.frames_at_once);
    return frames;
  }

  void finish(ArrayPlan& plan, const Cut& at_once, const Stretches& stretches) const {
    plan.threads = at_once.threads;
    if (options_.threads == 0) {
      const auto useful = static_cast<std::size_t>(plan.nanoseconds / kThreadNs);
      plan.threads = std::clamp<std::size_t>(useful, 1, at_once.threads);
    }
    plan.units_at_once = at_once.units;
    plan.outputs_at_once = at_once.outputs;
    plan.call_frames = at_once.call;
    Cut used = at_once;
    used.threads = plan.threads;
    plan.frames_at_once = stretch(used, stretches);
    plan.backend = options_.backend;
  }

  void note_least(double bytes) {
    least_ = std::min(least_, static_cast<std::uint64_t>(std::ceil(bytes)));
  }

  const ArrayJob& job_;
  const ArrayTraits& traits_;
  const ArrayOptions& options_;
  std::uint64_t limit_;
  std::size_t units_;
  std::size_t outputs_;
  std::size_t longest_;  // taps
  std::uint64_t taps_;   // of all kernels
  ArrayWindow window_;
  bool on_gpu_;
  PlanAbilities abilities_;
  std::uint64_t products_ = 0;            // of the direct form
  std::uint64_t edge_frames_ = 0;         // of all edges' outputs
  std::vector<std::uint64_t> most_taps_;  // [n]: of the n outputs with the most of them
  std::uint64_t least_ = kNoLimit;
  std::uint64_t engine_bytes_ = 0;  // of the plan that was looked at last
};

}  // namespace

ArrayPart part_of(const ArrayJob& job, std::size_t first_output, std::size_t last_output) {
  ArrayPart part;
  std::vector<std::size_t> place(job.taps.size(), job.taps.size());
  for (const ArrayEdge& edge : job.edges) {
    if (edge.output < first_output || edge.output >= last_output) continue;
    std::size_t& at = place[edge.kernel];
    if (at == job.taps.size()) {
      at = part.kernels.size();
      part.kernels.push_back(edge.kernel);
      part.longest = std::max(part.longest, job.taps[edge.kernel]);
    }
    part.edges.push_back({edge.input, at, edge.output - first_output, edge.gain});
  }
  return part;
}

ArrayPlan plan_array_job(const ArrayJob& job, const ArrayTraits& traits,
                         const ArrayOptions& options) {
  check(job, options);
  return Planner(job, traits, options).plan();
}

}  // namespace firbank
