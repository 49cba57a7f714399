// FailOver: a convolver that outlives its device.
//
// While a device computes, the host keeps what the CPU would need in its place: the raw input that
// the longest response still hears, the calls under way, and the banks that are heard or to come.
// When the device loses a call, a second convolver is made on the CPU. It listens to the past, then
// answers that call and all that follow: no frame is lost or repeated, and swaps, fades and spoiled
// frames are where they would have been. On a backend that cannot be lost nothing is kept.
//
// Threads and real-time rules are those that engine.hpp gives for the methods of the same names.
// The one call that loses its device allocates, and transforms all filters and the past. Where that
// fails, the device's calls are lost from there on. Where the CPU is too slow for the stream,
// EngineConfig::on_overload says what becomes of it.
//
// What went live when is told in frames of input since construction: names of frames may move at a
// reset.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/convolver.hpp"
#include "engine/fifo.hpp"
#include "engine/input_log.hpp"
#include "engine/overload.hpp"

namespace firbank {

template <class Sample>
class FailOver {
 public:
  /// `load_beside`: the share of the stream's own time that the CPU spends on other parts of it.
  FailOver(std::shared_ptr<const Backend> backend, const PartitionPlan& plan,
           const EngineConfig& config, const FilterBank& bank, const Routing& routing,
           double load_beside = 0);

  ProcessStatus process(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  std::size_t flush(Sample* const* out, std::size_t frames) noexcept;
  void reset() noexcept;

  /// Up to depth_blocks + 1 calls are under way.
  void submit(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  CallResult collect() noexcept;
  std::size_t calls_under_way() const noexcept;
  /// Whether collect() would not wait for a device.
  bool can_collect() noexcept;

  /// `due` as in SwapOrder.
  std::uint64_t swap(const FilterBank& bank, std::int64_t at_frame, std::size_t crossfade_frames,
                     const std::atomic<std::int64_t>* due = nullptr);
  /// Throws: as Convolver::update().
  void update(std::size_t filter, std::span<const double> taps);
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;

  /// Names the next output frame; for the pipeline thread, at the start and after a reset.
  void set_position(std::int64_t frame) noexcept { active().set_position(frame); }
  std::int64_t position() const noexcept { return active().position(); }
  /// As Convolver::pass_over().
  void pass_over(std::size_t frames) noexcept { active().pass_over(frames); }
  /// As Convolver::fade().
  const Crossfade* fade() const noexcept { return active().fade(); }

  std::size_t tail_frames() const noexcept { return active().tail_frames(); }
  std::size_t max_frames() const noexcept { return first_.max_frames(); }
  const Backend& backend() const noexcept { return active().backend(); }
  std::size_t threads() const noexcept { return active().threads(); }

  /// Counts frames that are missing before `first_frame`; for the pipeline thread.
  void count_gap(std::int64_t first_frame, std::int64_t frames) noexcept {
    active().count_gap(first_frame, frames);
  }

  /// What became of the last call of process or flush.
  const CallResult& last_call() const noexcept { return last_call_; }

  /// Why the device was lost, and why the CPU could not take its place, where it could not; empty
  /// while nothing of this happened.
  std::string failure() const;

  Stats stats() const noexcept;

 private:
  /// A call under way.
  struct Call {
    std::size_t frames = 0;  // that became input, and are not answered
    CallResult result;       // once it is answered
    std::vector<Sample*> out;
  };
  struct KeptBank {
    FilterBank bank;
    SwapOrder order;
    std::int64_t given = 0;  // frames of input that had come
  };

  Convolver<Sample>& active() const noexcept { return *active_.load(std::memory_order_acquire); }
  bool keeps() const noexcept { return keeps_.load(std::memory_order_relaxed); }

  void keep_call(Sample* const* out, std::size_t frames) noexcept;
  void answer_oldest() noexcept;
  void settle(Call& call, const CallResult& result) noexcept;
  std::int64_t answered_frames() const noexcept;
  std::int64_t first_frame_open() const noexcept;
  std::int64_t name_of(std::int64_t frames) const noexcept;
  std::size_t heard_bank(std::int64_t frames) const noexcept;
  bool take_over() noexcept;
  std::unique_ptr<Convolver<Sample>> make_second(const FilterBank& heard);
  FilterBank fitting(const FilterBank& bank) const;
  void submit_in_time(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  const Sample* const* read_past(std::int64_t clock, std::size_t frames) noexcept;
  void listen_to_past(Convolver<Sample>& second);
  void answer_all() noexcept;

  EngineConfig config_;
  double load_beside_;
  Routing routing_;
  std::size_t past_wanted_;  // frames before a call that it hears
  Convolver<Sample> first_;
  std::unique_ptr<Convolver<Sample>> second_;
  std::atomic<Convolver<Sample>*> active_{&first_};
  std::atomic<bool> keeps_;  // what a second convolver would need; false again once there is one

  // The processing thread's.
  std::size_t stretch_frames_;            // that are read from the past at a time
  std::optional<InputLog<Sample>> past_;  // where there may be a second convolver
  std::size_t past_frames_ = 0;  // of the stream, before the oldest call that is not answered
  std::size_t under_way_ = 0;    // frames of the calls that are not answered
  Fifo<Call> calls_;             // of the device: those that are answered first
  std::size_t answered_ = 0;
  std::vector<Sample> stretch_;          // of all inputs, while the past is read
  std::vector<Sample*> stretch_planes_;  // of each input
  CallResult spoiled_;                   // what the device has spoiled of what it answered
  CallResult last_call_;

  // The banks that the second convolver would have to know. The first of them is heard, or was when
  // the others were given.
  std::mutex banks_mutex_;
  std::vector<KeptBank> banks_;
  std::atomic<std::int64_t> answered_to_{0};  // answered_frames()
  std::uint64_t last_ticket_ = 0;

  // What the second one is spared, where it is too slow.
  std::size_t truncated_taps_ = 0;    // 0: nothing
  std::optional<Lateness> lateness_;  // the processing thread's
  std::atomic<bool> has_dropped_{false};

  // Why there is no second one; not written any more once it can be read.
  std::string no_second_;
  std::atomic<bool> has_no_second_{false};

  // What the first convolver counted of what it answered. Complete before active_ changes.
  Stats carried_;
};

extern template class FailOver<float>;
extern template class FailOver<double>;

}  // namespace firbank
