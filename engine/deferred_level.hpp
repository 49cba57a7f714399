// DeferredLevel: long partitions, computed in slices while the answer is not yet due.
//
// Block m of the level, frames mS to (m + 1)S of its input, meets partitions whose first tap is D:
// its answer is heard from frame mS + D on, for S frames. Between the frame at which the block is
// complete and that one lie at least S - c frames, c being a slice; in which its inputs are
// transformed, the products summed and the outputs transformed back, in proportion to the frames
// that arrive. The work of one block ends where that of the next one begins, so every slice of the
// stream costs the same, on the caller's own thread and whatever the scheduler does.
//
// How the work is cut follows from estimated costs; what is computed, and in which order it is
// summed, never does.
//
// The work is shared among lanes, each with its own inputs and outputs, which may run side by side:
// all forward lanes, then all output lanes.
//
// Thread:   prepare() may run on another thread than the rest; lanes may run side by side.
// Realtime: everything but construction and prepare() is safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/frequency_delay_line.hpp"
#include "engine/input_history.hpp"
#include "engine/partition_plan.hpp"
#include "engine/responses.hpp"
#include "kernels/backend.hpp"

namespace firbank {

template <class Sample>
class DeferredLevel {
 public:
  class Bank;

  /// `first` is the plan's first level. Pieces of the nominal size have `slice_frames` frames.
  DeferredLevel(const Backend& backend, SpectralLevel<Sample>& first, const LevelPlan& plan,
                std::size_t slice_frames, std::size_t inputs, std::size_t outputs,
                std::size_t lanes, bool compact);

  /// `first` is what the first level has of the same filters.
  std::unique_ptr<Bank> prepare(const FilterBank& filters, const ResponseTable& responses,
                                SpectralBank<Sample>& first) const;

  /// Other taps for one filter of a bank; reset_bank() is left to the caller.
  void replace(Bank& bank, std::size_t filter, std::span<const double> taps,
               const ResponseTable& responses) const;

  /// Adds the level's part to outputs of the range, for the `frames` frames that follow what has
  /// arrived. They lie in one block of answers: none begins or ends inside a piece.
  void add(const Bank& bank, Sample* const* out, std::size_t frames,
           IndexRange outputs) const noexcept;

  /// Whether the answers that add() gives for the coming frames are all there.
  bool is_ready(const Bank& bank) const noexcept;

  /// Computes what is_ready() finds missing, in one go; end_catch_up() when all lanes have. Not
  /// between begin() and end().
  void catch_up(Bank& bank, std::size_t lane) noexcept;
  void end_catch_up(Bank& bank) noexcept;

  /// `frames` more have arrived, which the history holds from its clock on: says what is to be
  /// done, and begins a block where one is complete.
  void begin(const InputHistory<Sample>& history, std::size_t frames) noexcept;
  /// Whether the coming slice has forward transforms, and output work.
  bool has_forward() const noexcept { return forward_due_ > forward_done_; }
  bool has_outputs() const noexcept { return outputs_due_ > 0; }
  void run_forward(std::size_t lane) noexcept;
  /// Before the lanes of a bank run: has it take part in the block under way. A bank that is not
  /// heard yet waits for the next block rather than do all of this one's work in its second half.
  void join(Bank& bank, bool is_heard) noexcept;
  void run_outputs(Bank& bank, std::size_t lane) noexcept;
  void end(Bank& bank) noexcept;
  void end(std::size_t frames) noexcept;

  /// Frames before the stream's first that a window reaches back.
  std::size_t frames_before_stream() const noexcept {
    return plan_.transform_frames - plan_.block_frames;
  }

  /// Forgets all input. Banks that take part are given to reset_bank().
  void reset() noexcept;
  void reset_bank(Bank& bank) const noexcept;

 private:
  static constexpr std::int64_t kNone = -1;

  /// How a half of the bins gets its sum. In turn, one half is summed for two blocks at once, which
  /// reads the spectra once for both; the other has the sum that was left to it, and needs no more
  /// than the newest block.
  enum class Sweep { kWhole, kPair, kRest };
  using Sweeps = std::array<Sweep, 2>;

  /// Consecutive outputs whose products are summed together.
  struct Tile {
    IndexRange outputs;
    std::size_t terms = 0;
    std::size_t partitions = 0;  // of all terms
  };
  /// How far a lane has come with the outputs of a block.
  struct Progress {
    std::size_t tile = 0;
    std::size_t products = 0;  // shares of the tile's
    std::size_t output = 0;    // of the tile
    std::size_t inverse = 0;   // shares of the output's
    double ns = 0;             // of all this, estimated
  };
  struct Lane {
    std::vector<Tile> tiles;
    Progress progress;
  };

  /// The block whose answer is heard in the frames that follow what has arrived; kNone before the
  /// first.
  std::int64_t heard_block() const noexcept;
  IndexRange lane_range(std::size_t count, std::size_t lane) const noexcept {
    return {count * lane / lanes_, count * (lane + 1) / lanes_};
  }
  void share_work(Bank& bank, const ResponseTable& responses) const;
  std::vector<Tile> make_tiles(const std::vector<Tile>& outputs, IndexRange range) const;
  double product_ns(const Tile& tile, Sweep sweep) const noexcept;
  double lane_ns(const Lane& lane, const Sweeps& sweeps) const noexcept;
  void run_until(Bank& bank, std::size_t lane, const Sweeps& sweeps, double share,
                 std::int64_t block, std::size_t newest) noexcept;
  bool run_products(Bank& bank, std::size_t lane, const Sweeps& sweeps, double due_ns,
                    std::int64_t block, std::size_t newest) noexcept;

  LevelPlan plan_;
  bool compact_;     // the responses' spectra, in 16 bits
  bool has_shares_;  // the backend
  std::size_t inputs_;
  std::size_t outputs_;
  std::size_t lanes_;
  double slices_;  // of a block
  std::unique_ptr<SpectralLevel<Sample>> level_;
  Shares shares_;
  // One slot more than partitions: the answers that are being heard can still be computed.
  FrequencyDelayLine delay_line_;

  std::int64_t arrived_ = 0;    // frames since the stream began
  std::int64_t block_ = kNone;  // whose work is under way, or done
  double forward_done_ = 1;     // of the forward transforms, 0 to 1
  double forward_due_ = 1;
  double outputs_done_ = 0;  // of the output work, likewise
  double outputs_due_ = 0;
  std::vector<std::size_t> transformed_;  // of each lane: shares of its inputs
  std::vector<const Sample*> older_;
  std::vector<const Sample*> newer_;
  std::int64_t window_start_ = 0;
  std::size_t window_silent_ = 0;
};

/// What a level keeps for one filter bank.
template <class Sample>
class DeferredLevel<Sample>::Bank {
 private:
  friend class DeferredLevel;

  std::unique_ptr<SpectralBank<Sample>> spectra_;
  std::vector<IndexRange> ranges_;  // of each response: its partitions
  std::size_t partitions_ = 0;      // of the longest response
  // Which block's answers the two places hold: block m those of m mod 2, the last S frames count.
  std::array<std::int64_t, 2> complete_{kNone, kNone};
  std::vector<Tile> outputs_;  // each alone; those without partitions have no answer
  std::vector<Lane> lanes_;
  std::int64_t block_ = kNone;  // that it takes part in
  bool has_next_ = false;       // sum kNext has a half of the block after
  Sweeps sweeps_{};
  double joined_at_ = 0;  // share of the block's output work that was past by then
};

extern template class DeferredLevel<float>;
extern template class DeferredLevel<double>;

}  // namespace firbank
