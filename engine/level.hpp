// Level: one way of computing the whole convolution, piece by piece.
//
// A piece is a stretch of frames that a level takes at once; next_piece() says how many. For each
// piece the engine calls, in this order: ingest once, render for each bank that is heard, advance
// once; and then, at once or some pieces later, collect. The banks' input history is shared: inputs
// are transformed once, however many banks.
//
// Thread:   prepare() may run on another thread than the rest, which is one at a time.
// Realtime: everything but construction, prepare() and replace() is safe.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "engine/filter_bank.hpp"
#include "engine/input_history.hpp"
#include "engine/intake.hpp"
#include "engine/responses.hpp"

namespace firbank {

/// What a level keeps for one filter bank. Made by Level::prepare, used with that level only.
class LevelBank {
 public:
  virtual ~LevelBank() = default;
};

template <class Sample>
class Level {
 public:
  virtual ~Level() = default;

  /// Everything that the running path needs of a bank: transforms its filters and allocates.
  virtual std::unique_ptr<LevelBank> prepare(const FilterBank& filters,
                                             const ResponseTable& responses) const = 0;

  /// Gives one filter of a bank in use other taps, at most PartitionPlan::max_taps; what the bank
  /// has summed over the past it sums anew. Not beside anything else. Throws: BackendError where
  /// the backend cannot do it, and nothing has changed then; std::bad_alloc.
  virtual void replace(LevelBank& bank, std::size_t filter, std::span<const double> taps,
                       const ResponseTable& responses) const = 0;

  /// How many of the coming `frames`, 1 to PartitionPlan::piece_frames, the next piece takes; never
  /// 0. Two banks that are heard may want a shorter piece than one.
  virtual std::size_t next_piece(std::size_t frames, bool two_banks) const noexcept = 0;

  /// Takes the next piece. Each input is written to the history here, or in the first render(), or
  /// in advance() where no bank hears the piece; so long must `intake` live.
  virtual void ingest(const Intake<Sample>& intake) noexcept = 0;

  /// Makes a bank ready to be heard from the coming piece on. Before ingest. Costs a burst unless
  /// the bank has taken part in advance() for PartitionPlan::swap_lead_frames().
  virtual void activate(LevelBank& bank) noexcept = 0;

  /// The outputs of the piece: out[output][0 .. frames), there once the piece is collected.
  virtual void render(LevelBank& bank, Sample* const* out, std::size_t frames) noexcept = 0;

  /// Ends the piece and does what the next ones will need, in fair shares: for the banks that are
  /// heard, and for one that is to be heard soon.
  virtual void advance(const InputHistory<Sample>& history, std::span<LevelBank* const> banks,
                       std::size_t frames) noexcept = 0;

  /// Before pieces that the banks take no part in: what they have prepared is of no use any more.
  virtual void forget(std::span<LevelBank* const> banks) noexcept = 0;

  /// Waits for the outputs of the oldest piece that was not collected yet. False when the backend
  /// has lost it: its outputs hold nothing.
  virtual bool collect() noexcept = 0;
  /// Whether the next `pieces` calls of collect() would not wait for a device.
  virtual bool can_collect(std::size_t pieces) const noexcept = 0;

  /// Forgets all input, so that the next piece begins a stream; `banks` are those that advance()
  /// would be given.
  virtual void reset(InputHistory<Sample>& history, std::span<LevelBank* const> banks) noexcept = 0;
};

}  // namespace firbank
