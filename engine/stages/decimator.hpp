// Decimator: filters each channel and keeps every M-th frame.
//
//   y_c[j] = sum_k h_f[k] x_c[j M - k]
//
// Kept are the input frames whose index is a multiple of M, so that output frame j belongs to input
// frame j M, exactly and for good: neither the sizes of the calls nor a gap moves the grid. Behind
// a gap the history is forgotten: input before it is 0, as at the start of a stream, and the next
// multiple of M is the next frame that is put out.
//
// Three forms, equal but for rounding. Direct: a sum of products for each kept frame, taps / M of
// them an input frame. Polyphase: phase r of the input, x[j M - r], meets the taps h[r], h[r +
// M]... in an Engine at 1 / M of the rate (P. P. Vaidyanathan, "Multirate Systems and Filter
// Banks", Prentice Hall, 1993, section 4.3). Whole: where filters are long and M is small,
// transforms are so much cheaper than sums that an Engine at the full rate has all frames for less
// than the others need for those that are kept. stages/README.md tells which is chosen, and why.
//
// A NaN or an infinity makes NaN of the kept frames that hear it through any tap, of its own
// channel, and of no other.
//
// Thread:   one at a time.
// Realtime: everything but construction is safe: one thread, no allocation, no lock, no system
//           call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/filter_bank.hpp"
#include "engine/stages/stream_position.hpp"

namespace firbank {

enum class DecimatorForm {
  kAuto,       // what is estimated to be the cheapest
  kDirect,     // a sum of products for each kept frame
  kPolyphase,  // phases of the input meet phases of the filter, at 1 / M of the rate
  kWhole,      // all frames by transforms, which have them anyway; what is not kept is dropped
};

struct DecimatorConfig {
  std::size_t channels = 0;  // at least 1
  std::size_t factor = 1;    // M, 1 to 65,536

  /// Nominal input frames a call, 1 to 65,536. The plan is made for it; any other size is correct.
  std::size_t block_frames = 256;

  DecimatorForm form = DecimatorForm::kAuto;
};

/// What a call put out. Frame k of it belongs to input frame first_frame + k factor, and is frame
/// first_frame / factor + k of the stream of kept frames.
struct DecimatedFrames {
  std::size_t frames = 0;
  std::int64_t first_frame = 0;  // of the input; the next one that is kept, when there are none
};

class DecimationForm;

class Decimator {
 public:
  /// `bank` holds one filter for all channels, or one for each.
  /// Throws: Error naming the field, its value and what is allowed; std::bad_alloc.
  Decimator(const DecimatorConfig& config, const FilterBank& bank);
  ~Decimator();
  Decimator(const Decimator&) = delete;
  Decimator& operator=(const Decimator&) = delete;

  /// `in` holds channels() planes of `frames` frames, any number, from index `first_frame` on;
  /// `out` as many planes with room for most_frames(frames), none of which is a plane of `in`.
  DecimatedFrames process(const float* const* in, std::size_t frames, std::int64_t first_frame,
                          float* const* out) noexcept;

  /// Most frames that a call of `frames` frames puts out: frames / factor, rounded up.
  std::size_t most_frames(std::size_t frames) const noexcept {
    return frames / factor_ + (frames % factor_ != 0 ? 1 : 0);
  }

  /// Forgets the history; the next call may begin anywhere.
  void reset() noexcept;

  std::size_t channels() const noexcept { return channels_; }
  std::size_t factor() const noexcept { return factor_; }
  DecimatorForm form() const noexcept { return chosen_; }  // never kAuto
  std::uint64_t gaps() const noexcept { return position_.gaps(); }

 private:
  std::size_t channels_;
  std::size_t factor_;
  DecimatorForm chosen_;
  std::unique_ptr<DecimationForm> form_;
  StreamPosition position_;
};

}  // namespace firbank
