// Convolver: the running path. Cleans the input, drives the level, changes banks, marks what is
// spoiled and counts. FailOver hands the engine's calls on to it.
//
// Threads and real-time rules are those that engine.hpp gives for the methods of the same names.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/crossfade.hpp"
#include "engine/engine.hpp"
#include "engine/fifo.hpp"
#include "engine/handoff.hpp"
#include "engine/input_history.hpp"
#include "engine/input_log.hpp"
#include "engine/level.hpp"
#include "engine/non_finite.hpp"
#include "engine/responses.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/backend.hpp"
#include "kernels/worker_pool.hpp"

namespace firbank {

/// What became of a call.
struct CallResult {
  ProcessStatus status = ProcessStatus::kOk;
  std::int64_t spoiled_frames = 0;  // with a NaN in any output
  std::int64_t first_spoiled_frame = Stats::kNone;
};

/// When a bank takes the place of another one.
struct SwapOrder {
  std::int64_t at_frame = 0;
  std::size_t crossfade_frames = 0;
  std::uint64_t ticket = 0;  // in the order of the swaps, from 1 on
  bool is_live = false;      // since at_frame, elsewhere: the fade is as far as it would be by now
  std::int64_t not_before = 0;  // frames() that must have come
  // Where it is told elsewhere: the frame before which it is not due, or kNotDue.
  const std::atomic<std::int64_t>* due = nullptr;
  static constexpr std::int64_t kNotDue = INT64_MIN;
  static constexpr std::int64_t kAnyFrame = kNotDue + 1;  // that at_frame says
};

template <class Sample>
class Convolver {
 public:
  /// There is room for `most_swaps` banks that wait.
  Convolver(std::shared_ptr<const Backend> backend, const PartitionPlan& plan,
            const EngineConfig& config, const FilterBank& bank, const Routing& routing,
            std::size_t most_swaps = BasicEngine<Sample>::kMaxPendingSwaps);
  ~Convolver();

  ProcessStatus process(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  std::size_t flush(Sample* const* out, std::size_t frames) noexcept;
  void reset() noexcept;

  /// Up to depth_blocks + 1 calls are under way.
  void submit(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  CallResult collect() noexcept;
  std::size_t calls_under_way() const noexcept { return calls_.size(); }
  /// Whether collect() would not wait for a device.
  bool can_collect() noexcept;

  /// A call without an answer: its input is taken, its output is silence and counts as lost. On a
  /// backend that answers at once.
  void skip(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;

  /// Takes input of the past, whose answers nobody wants. Before the first call only.
  void listen(const Sample* const* in, std::size_t frames) noexcept;

  /// Frees the banks that were replaced; for the thread that swaps.
  void free_old_banks() { handoff_.collect(); }
  /// Throws: Error when the swap is not allowed.
  void check_swap(const FilterBank& bank, std::size_t crossfade_frames) const;
  void swap(const FilterBank& bank, const SwapOrder& order);
  /// No call may be under way. Throws: Error when the update is not allowed; BackendError when the
  /// backend cannot do it; std::bad_alloc.
  void update(std::size_t filter, std::span<const double> taps);
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;
  /// The same in frames of input since construction, which no set_position() moves.
  std::optional<std::int64_t> live_since(std::uint64_t ticket) const noexcept;
  std::int64_t frames() const noexcept { return frames_.load(std::memory_order_relaxed); }

  /// From here on all input goes to `log` too, or again to none; raw, and while the backend is at
  /// it already. The log must be there for as long as calls are made.
  void log_input(InputLog<Sample>* log) noexcept { log_ = log; }

  /// Frames of silence since the last input; for flush().
  std::size_t silent_frames() const noexcept { return silent_frames_; }
  void set_silent_frames(std::size_t frames) noexcept { silent_frames_ = frames; }

  /// Names the next output frame; for the pipeline thread, at the start and after a reset.
  void set_position(std::int64_t frame) noexcept;
  std::int64_t position() const noexcept { return position_.load(std::memory_order_relaxed); }
  /// Frames that came and are not heard: names go on behind them, and so do swaps and fades. With
  /// no call under way, at the start or after a reset.
  void pass_over(std::size_t frames) noexcept;
  /// Null unless two banks are heard.
  const Crossfade* fade() const noexcept { return fading_ != nullptr ? &fade_ : nullptr; }

  std::size_t tail_frames() const noexcept { return tail_frames_.load(std::memory_order_relaxed); }
  std::size_t max_frames() const noexcept { return max_frames_; }
  const Backend& backend() const noexcept { return *backend_; }
  std::size_t threads() const noexcept { return pool_.threads(); }
  /// Counts frames that are missing before `first_frame`; for the pipeline thread.
  void count_gap(std::int64_t first_frame, std::int64_t frames) noexcept;

  /// What became of the last call of process or flush.
  const CallResult& last_call() const noexcept { return last_call_; }

  Stats stats() const noexcept;

 private:
  /// A bank with all that the running path needs to know of it.
  struct Prepared {
    std::unique_ptr<LevelBank> spectra;
    std::size_t filters = 0;
    std::vector<std::vector<Reach>> reach;  // of each output
    std::size_t tail_frames = 0;
    SwapOrder order;
    // What it answers while another bank is heard as well: of each output, one piece.
    AlignedVector<Sample> fade_samples;
    std::vector<Sample*> fade_planes;
  };

  std::unique_ptr<Prepared> prepare(const FilterBank& bank) const;
  void check_update(std::size_t filter, std::span<const double> taps) const;
  std::size_t follow_swaps(std::size_t frames) noexcept;
  void begin_swap() noexcept;
  void end_swap() noexcept;
  /// The banks that the level works for: heard, fading in, coming.
  std::span<LevelBank* const> banks() noexcept;

  struct Call {
    std::size_t pieces = 0;  // not collected yet
    CallResult result;
  };
  /// A piece that was handed to the level and is not collected yet.
  struct Piece {
    std::int64_t clock = 0;
    std::int64_t first_frame = 0;
    std::size_t frames = 0;
    Call* call = nullptr;
    std::vector<Sample*> out;  // plane of each output
  };

  void submit_call(const Sample* const* in, Sample* const* out, std::size_t frames) noexcept;
  CallResult collect_call() noexcept;
  void submit_piece(Call& call, const Sample* const* in, Sample* const* out, std::size_t offset,
                    std::size_t frames) noexcept;
  void collect_piece() noexcept;
  void collect_pieces() noexcept;
  /// Calls work(output, thread) for all outputs of a piece.
  template <class Work>
  void for_outputs(const Piece& piece, Work&& work) noexcept;
  void lose(const Piece& piece) noexcept;
  void count_lost(std::int64_t first_frame, std::size_t frames) noexcept;
  void spoil(const Piece& piece) noexcept;
  void spoil(const Piece& piece, std::size_t output, std::size_t thread) noexcept;

  std::shared_ptr<const Backend> backend_;
  PartitionPlan plan_;
  std::size_t max_frames_;
  Routing routing_;
  ResponseTable responses_;
  WorkerPool pool_;       // shares what touches every sample
  WorkerPool caller_{1};  // shares nothing: of a backend whose operations are whole
  std::unique_ptr<Level<Sample>> level_;
  InputHistory<Sample> history_;
  NonFiniteGuard<Sample> guard_;
  InputLog<Sample>* log_ = nullptr;

  // The oldest is the next one to be collected. Pieces are collected before a bank comes or goes,
  // and one by one while two are heard.
  Fifo<Piece> pieces_;
  Fifo<Call> calls_;

  // Banks. `fading_` is set while both are heard; `upcoming_` waits for its frame.
  Handoff<Prepared> handoff_;
  Prepared* current_ = nullptr;
  Prepared* fading_ = nullptr;
  Prepared* upcoming_ = nullptr;
  Crossfade fade_;
  std::atomic<std::size_t> pending_swaps_{0};

  // The frame from which each of the latest tickets is live.
  static constexpr std::size_t kTicketsKept = 256;
  static constexpr std::int64_t kNotLive = INT64_MIN;
  struct Ticket {
    std::atomic<std::uint64_t> number{0};
    std::atomic<std::int64_t> frame{kNotLive};
    std::atomic<std::int64_t> since{0};  // stored before it
  };
  std::array<Ticket, kTicketsKept> tickets_;

  // Scratch of one piece.
  std::array<LevelBank*, 3> banks_{};
  std::vector<std::uint8_t> spoiled_;      // of each thread: frames of one output
  std::vector<std::uint8_t> any_spoiled_;  // of each thread: frames of any output that it saw
  std::vector<Sample> silence_;
  std::vector<const Sample*> silent_planes_;

  // Frames of silence since the last input; without any input there is no tail.
  std::size_t silent_frames_ = std::numeric_limits<std::size_t>::max() / 2;
  CallResult last_call_;

  std::atomic<std::size_t> tail_frames_{0};
  std::atomic<std::int64_t> position_{0};
  std::atomic<std::int64_t> frames_{0};
  std::atomic<std::uint64_t> call_count_{0};
  std::atomic<std::int64_t> spoiled_frames_{0};
  std::atomic<std::int64_t> first_spoiled_frame_{Stats::kNone};
  std::atomic<std::uint64_t> gaps_{0};
  std::atomic<std::int64_t> gap_frames_{0};
  std::atomic<std::int64_t> first_gap_frame_{Stats::kNone};
  std::atomic<std::uint64_t> swaps_{0};
  std::atomic<std::int64_t> lost_frames_{0};
  std::atomic<std::int64_t> first_lost_frame_{Stats::kNone};
};

extern template class Convolver<float>;
extern template class Convolver<double>;

}  // namespace firbank
