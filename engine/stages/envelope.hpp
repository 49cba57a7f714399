// Envelope: how large each channel is, as it changes.
//
//   kRectified   sum_k w[k] |x[n - k]|                    k from 0 to T - 1
//   kPower       sum_k w[k] x[n - k]^2
//   kRms         the square root of that
//   kAnalytic    sqrt( x[n - D]^2 + (sum_k h[k] x[n - k])^2 ),  D = (T - 1) / 2
//
// with weights w that are the window's values over their sum, and h a Hilbert transformer: the
// ideal one's taps 2 / (pi m) at odd distances m from the middle and 0 at even ones, under the
// window, with gain 1 at a quarter of the rate (A. V. Oppenheim, R. W. Schafer, "Discrete-Time
// Signal Processing", 3rd ed., Pearson, 2010, section 12.4). What it does to an amplitude near 0 Hz
// and near half the rate is told by stages/README.md.
//
// Output frame n comes in the call that brings input frame n, and belongs to the middle of what it
// hears: input frame n - group_delay_frames(). Power, and what comes of it, is never below 0. At
// the start, and behind a gap, input before the first frame is 0.
//
// A NaN or an infinity makes NaN of the T frames that hear it, of its own channel.
//
// Thread:   one at a time.
// Realtime: everything but construction is safe: one thread, no allocation, no lock, no system
//           call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/stages/stream_position.hpp"

namespace firbank {

enum class EnvelopeKind { kRectified, kPower, kRms, kAnalytic };

enum class EnvelopeWindow {
  kBoxcar,  // a mean over T frames
  kHann,    // smoother: side lobes of -31 dB and falling, instead of -13 dB
};

struct EnvelopeConfig {
  std::size_t channels = 0;  // at least 1
  EnvelopeKind kind = EnvelopeKind::kRms;
  EnvelopeWindow window = EnvelopeWindow::kHann;

  /// T: 1 to 1,048,576; of kAnalytic an odd number, 3 or more.
  std::size_t taps = 0;

  /// Nominal frames a call, 1 to 65,536. The plan is made for it; any other size is correct.
  std::size_t block_frames = 256;
};

class Envelope {
 public:
  /// Throws: Error naming the field, its value and what is allowed; std::bad_alloc.
  explicit Envelope(const EnvelopeConfig& config);
  ~Envelope();
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  /// `in` and `out` hold channels() planes of `frames` frames, any number, from index `first_frame`
  /// on. A plane of `out` may be the plane of `in` of the same channel.
  void process(const float* const* in, float* const* out, std::size_t frames,
               std::int64_t first_frame) noexcept;

  /// Forgets the history; the next call may begin anywhere.
  void reset() noexcept;

  /// (T - 1) / 2: half a frame is possible.
  double group_delay_frames() const noexcept;
  std::size_t channels() const noexcept;
  std::uint64_t gaps() const noexcept { return position_.gaps(); }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  StreamPosition position_;
};

}  // namespace firbank
