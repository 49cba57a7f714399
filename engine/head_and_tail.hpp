// HeadAndTail: what an engine runs on. One convolver; or, in the hybrid mode, the CPU for the head
// of every filter and a device for its tail.
//
// The head is the first D taps, D being whole blocks; the tail is what follows, as a filter of its
// own. What the tail answers to input frame m is heard at frame m + D: the device gets whole blocks
// of input, and each block's answer is due some blocks later, so that its round trip adds no
// latency. Where an answer is late, its block is left out, or waited for, as
// EngineConfig::late_tail says.
//
// Threads and real-time rules are those that engine.hpp gives for the methods of the same names.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/convolver.hpp"
#include "engine/fail_over.hpp"
#include "engine/fifo.hpp"
#include "kernels/aligned_vector.hpp"

namespace firbank {

template <class Sample>
class HeadAndTail {
 public:
  HeadAndTail(std::shared_ptr<const Backend> backend, const EngineConfig& config,
              const FilterBank& bank, const Routing& routing);

  ProcessStatus process(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  std::size_t flush(Sample* const* out, std::size_t frames) noexcept;
  void reset() noexcept;

  /// Up to depth_blocks() + 1 calls are under way.
  void submit(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  CallResult collect() noexcept;
  std::size_t calls_under_way() const noexcept;
  /// Blocks by which answers of submit() may be behind: none in the hybrid mode.
  std::size_t depth_blocks() const noexcept { return depth_blocks_; }

  std::uint64_t swap(const FilterBank& bank, std::int64_t at_frame, std::size_t crossfade_frames);
  /// Throws: as Convolver::update(); Error in the hybrid mode.
  void update(std::size_t filter, std::span<const double> taps);
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;

  void set_position(std::int64_t frame) noexcept;
  std::int64_t position() const noexcept;
  std::size_t tail_frames() const noexcept;
  std::size_t max_frames() const noexcept;
  std::size_t threads() const noexcept;
  /// Of all, or of the tail.
  const Backend& backend() const noexcept { return device_.backend(); }
  const PartitionPlan& plan() const noexcept { return plan_; }
  /// Of the tail; null but in the hybrid mode.
  const PartitionPlan* tail_plan() const noexcept { return head_ ? &tail_plan_ : nullptr; }

  void count_gap(std::int64_t first_frame, std::int64_t frames) noexcept;
  const CallResult& last_call() const noexcept { return head_ ? last_call_ : device_.last_call(); }
  std::string failure() const { return device_.failure(); }
  Stats stats() const noexcept;

 private:
  /// What follows from the configuration before anything is made.
  struct Parts;
  explicit HeadAndTail(Parts parts);

  CallResult run(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  void run_chunk(const Sample* const* in, Sample* const* out, std::size_t frames,
                 CallResult& result) noexcept;
  void take(const Sample* const* in, std::size_t frames) noexcept;
  bool fetch(std::int64_t block) noexcept;
  void collect_block() noexcept;
  std::int64_t spoiled_in(const Sample* const* out, std::size_t frames,
                          std::size_t& first) noexcept;
  void follow_swaps() noexcept;
  void follow_tail() noexcept;
  std::size_t passed_by_tail(std::int64_t now, std::int64_t frame) const noexcept;
  Sample* plane(AlignedVector<Sample>& samples, std::size_t slot, std::size_t channel,
                std::size_t channels) noexcept {
    return samples.data() + (slot * channels + channel) * block_frames_;
  }

  std::size_t block_frames_;
  std::size_t depth_blocks_;
  std::size_t head_taps_;  // D; 0: there is no head apart
  std::size_t max_taps_;
  bool waits_;
  std::size_t inputs_;
  std::size_t outputs_;
  Routing routing_;
  PartitionPlan plan_;
  PartitionPlan tail_plan_;
  std::unique_ptr<Convolver<Sample>> head_;
  FailOver<Sample> device_;

  // The tail's. Block b lies in slot b mod slots_.
  std::size_t slots_;
  AlignedVector<Sample> tail_in_;   // [slot][input][block]
  AlignedVector<Sample> tail_out_;  // [slot][output][block]
  std::vector<const Sample*> in_planes_;
  std::vector<Sample*> out_planes_;
  std::vector<const Sample*> silent_planes_;
  AlignedVector<Sample> silence_;
  std::vector<CallResult> block_results_;
  std::int64_t heard_ = 0;      // frames since the stream began
  std::int64_t submitted_ = 0;  // blocks, likewise
  std::int64_t collected_ = 0;
  std::size_t filled_ = 0;  // frames of the block that is not whole yet

  std::vector<const Sample*> call_in_;
  std::vector<Sample*> call_out_;
  std::vector<std::uint8_t> is_spoiled_;
  Fifo<CallResult> results_;
  CallResult last_call_;
  std::size_t silent_frames_ = SIZE_MAX / 2;  // since the last input; without any there is no tail

  static constexpr std::size_t kTicketsKept = 256;
  struct Told {
    std::atomic<std::size_t> tail_frames{0};
    std::atomic<std::size_t> crossfade_frames{0};
    std::atomic<std::int64_t> tail_due{SwapOrder::kNotDue};    // once the head is there
    std::atomic<std::int64_t> heard_from{SwapOrder::kNotDue};  // once the tail has begun
  };
  std::array<Told, kTicketsKept> told_;  // with each ticket
  std::uint64_t next_ticket_ = 1;        // that is not live yet
  std::uint64_t next_of_tail_ = 1;       // that the tail has not begun
  std::uint64_t next_given_ = 1;         // of the thread that swaps
  std::atomic<std::uint64_t> last_ticket_{0};
  std::atomic<std::size_t> tail_frames_{0};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::int64_t> spoiled_frames_{0};
  std::atomic<std::int64_t> first_spoiled_frame_{Stats::kNone};
  std::atomic<std::int64_t> late_frames_{0};
  std::atomic<std::int64_t> first_late_frame_{Stats::kNone};
};

extern template class HeadAndTail<float>;
extern template class HeadAndTail<double>;

}  // namespace firbank
