// What becomes of a stream that a CPU takes over from a device and cannot carry in time:
// EngineConfig::on_overload.
//
// Thread: set-up, but for Lateness and Stopwatch.
#pragma once

#include <chrono>
#include <cstddef>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/planner.hpp"
#include "engine/routing.hpp"

namespace firbank {

/// The share of the stream's own time that a plan is estimated to take on `threads` threads.
double load_of(const PartitionPlan& plan, double sample_rate_hz, std::size_t threads);

/// Beyond this load a CPU counts as overloaded: what is estimated is coarse.
inline constexpr double kMostLoad = 0.7;

/// The same of the filters that are there, whatever EngineConfig::max_taps makes room for.
double load_of(const EngineConfig& config, const FilterBank& bank, const Routing& routing,
               const PlanAbilities& abilities, std::size_t threads);

/// The longest filters, in taps, with which the load is at most `most_load`, up to an eighth less;
/// at least 1.
std::size_t taps_in_time(const EngineConfig& config, const FilterBank& bank, const Routing& routing,
                         const PlanAbilities& abilities, std::size_t threads, double most_load);

class Stopwatch {
 public:
  double ns() const noexcept {
    return std::chrono::duration<double, std::nano>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// How far a stream that a clock paces is behind it, by the time that its calls take.
///
/// Realtime: all is safe.
class Lateness {
 public:
  /// Up to `slack_frames` behind are no harm, and more it cannot be: what has nowhere to wait is
  /// lost on its way here.
  Lateness(double sample_rate_hz, std::size_t slack_frames)
      : ns_per_frame_(1e9 / sample_rate_hz),
        slack_ns_(ns_per_frame_ * static_cast<double>(slack_frames)) {}

  /// A call of `frames` took `ns`.
  void add(std::size_t frames, double ns) noexcept {
    behind_ns_ += ns - ns_per_frame_ * static_cast<double>(frames);
    if (behind_ns_ > slack_ns_) {
      behind_ns_ = slack_ns_;
      drops_ = true;
    }
    if (behind_ns_ <= 0) reset();
  }

  /// As if nothing had come yet.
  void reset() noexcept {
    behind_ns_ = 0;
    drops_ = false;
  }

  /// From when there is no slack left until nothing is behind.
  bool drops() const noexcept { return drops_; }

 private:
  double ns_per_frame_;
  double slack_ns_;
  double behind_ns_ = 0;
  bool drops_ = false;
};

}  // namespace firbank
