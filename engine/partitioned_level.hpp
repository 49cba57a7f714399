// PartitionedLevel: all levels of a plan; the first one here, with a frequency-domain delay line,
// the later ones by DeferredLevel.
//
// Input arrives on a grid of blocks of B frames. A piece that ends inside a block transforms what
// has arrived so far, after the M frames before the block and before zeros up to 2 M samples; it
// meets partition 0, and the sum of all other partitions is added, which was prepared beforehand.
// Inside the level this is overlap-save: of each transform pair only the newest frames are kept,
// and nothing is carried from block to block but spectra, so a new bank can start anywhere.
//
// A piece lies within one block; in rows it may be several whole blocks, each of which is answered
// like a piece, while one bank is heard.
//
// Where the plan's calls are whole blocks, a piece that is one meets all partitions at once, half
// of the outputs for two blocks in one reading. Other pieces of such a plan, and all of one whose
// blocks last for several calls, need a sum of all but partition 0 that was prepared.
//
// The sum for the next block is built while the current one arrives: partitions 2 and up in
// proportion to the frames, partition 1 when the block is complete. So every call does its share. A
// bank that is announced early enough takes part before it is heard, from the next block's start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/deferred_level.hpp"
#include "engine/frequency_delay_line.hpp"
#include "engine/level.hpp"
#include "engine/partition_plan.hpp"
#include "kernels/backend.hpp"
#include "kernels/worker_pool.hpp"

namespace firbank {

template <class Sample>
class PartitionedLevel final : public Level<Sample> {
 public:
  /// `pieces` of them may be under way at once. `pool` shares what the backend computes, `copiers`
  /// what is only copied; they may be the same.
  PartitionedLevel(const Backend& backend, const PartitionPlan& plan, const Routing& routing,
                   WorkerPool& pool, WorkerPool& copiers, std::size_t pieces);

  std::unique_ptr<LevelBank> prepare(const FilterBank& filters,
                                     const ResponseTable& responses) const override;
  void replace(LevelBank& bank, std::size_t filter, std::span<const double> taps,
               const ResponseTable& responses) const override;
  std::size_t next_piece(std::size_t frames, bool two_banks) const noexcept override;
  void ingest(const Intake<Sample>& intake) noexcept override;
  void activate(LevelBank& bank) noexcept override;
  void render(LevelBank& bank, Sample* const* out, std::size_t frames) noexcept override;
  void advance(const InputHistory<Sample>& history, std::span<LevelBank* const> banks,
               std::size_t frames) noexcept override;
  void forget(std::span<LevelBank* const> banks) noexcept override;
  bool collect() noexcept override { return level_->collect(); }
  bool can_collect(std::size_t pieces) const noexcept override {
    return level_->can_collect(pieces);
  }
  void reset(InputHistory<Sample>& history, std::span<LevelBank* const> banks) noexcept override;

 private:
  using Sum = typename SpectralBank<Sample>::Sum;

  enum class Step {
    kIdle,     // its sums are leftovers
    kJoining,  // sum kNext is in step with the current block, sum kReady is not
    kInStep,
  };

  struct Bank final : LevelBank {
    std::unique_ptr<SpectralBank<Sample>> spectra;
    std::vector<IndexRange> ranges;  // of each response: its partitions
    Step step = Step::kIdle;
    std::size_t partitions = 0;  // of the longest response
    bool has_ready = false;      // sum kReady holds partitions 1 and up of the current block
    bool has_next = false;       // sum kNext has been started
    std::size_t next_done = 2;   // partitions 2 to next_done - 1 are in sum kNext
    // Where sums are not built ahead: of which block sum kNext has all partitions but the first, of
    // all outputs, or of every other tile by accumulate_pair().
    std::int64_t ready_block = -1;
    std::int64_t next_block = -1;
    bool is_heard = false;  // has been activated
    std::vector<std::unique_ptr<typename DeferredLevel<Sample>::Bank>> deferred;
  };

  void forget(Bank& bank) const noexcept;
  void hand_over(const Intake<Sample>& intake) noexcept;
  void take_block(const Intake<Sample>& intake, std::size_t block) noexcept;
  void write(const Intake<Sample>& intake, std::size_t block, IndexRange inputs) noexcept;
  void transform(const Intake<Sample>& intake, std::size_t block, IndexRange inputs,
                 std::size_t thread) noexcept;
  void add_to_next(Bank& bank, IndexRange partitions) noexcept;
  void prepare_next(Bank& bank, bool complete) noexcept;
  void activate_first(Bank& bank) noexcept;
  void sum_ready(Bank& bank, Sum to) noexcept;
  bool has_pairs(const Bank& bank, std::size_t block) const noexcept;
  void sum(Bank& bank, std::size_t block, bool whole, IndexRange tile, std::size_t tile_number,
           std::size_t thread) noexcept;
  std::size_t known_partitions(const Bank& bank, const FrequencyDelayLine& line) const noexcept;
  void add_partitions(Bank& bank, Sum to, const Sum* from, const FrequencyDelayLine& line,
                      IndexRange partitions, IndexRange outputs, std::size_t thread) noexcept;
  void sum_now(Bank& bank, const FrequencyDelayLine& line, Sum from, IndexRange partitions,
               IndexRange outputs, std::size_t thread) noexcept;
  void advance_deferred(const InputHistory<Sample>& history, std::span<LevelBank* const> banks,
                        std::size_t frames) noexcept;

  LevelPlan plan_;            // of level 0
  std::size_t block_frames_;  // B
  std::size_t bins_;          // M
  bool compact_;              // the responses' spectra, in 16 bits
  std::size_t lead_frames_;   // of a window, before the block
  std::size_t inputs_;
  std::size_t outputs_;
  std::unique_ptr<SpectralLevel<Sample>> level_;
  Shares shares_;
  bool keeps_samples_;        // the backend does, and the history stays empty
  bool in_rows_;              // inputs are transformed where the output of the same number is
  std::size_t tile_outputs_;  // outputs that are computed together
  std::size_t grain_;         // of a thread's share of the outputs
  bool sums_ahead_;           // the sum for the next block is built while this one arrives
  FrequencyDelayLine delay_line_;
  WorkerPool& pool_;
  std::int64_t block_ = 0;                // since construction
  std::size_t arrived_ = 0;               // of the current block's frames, before this piece
  bool begins_ = true;                    // no window was shown since the stream began
  const Intake<Sample>* rows_ = nullptr;  // what the first render() takes
  std::vector<const Sample*> older_;      // of each input: a window, which ends with a block
  std::vector<const Sample*> newer_;      // of each input: its second half
  std::vector<Sample*> answers_;          // of each output: where a block of it goes
  std::vector<std::unique_ptr<DeferredLevel<Sample>>> deferred_;
};

extern template class PartitionedLevel<float>;
extern template class PartitionedLevel<double>;

}  // namespace firbank
