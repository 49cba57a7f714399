// One pass of a stream through an engine: from a reader, in blocks, to whoever takes the output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "demos/firbank/convolution_mode.hpp"
#include "demos/firbank/frame_reader.hpp"
#include "engine/engine.hpp"
#include "engine/stats.hpp"

namespace firbank::program {

enum class Pace {
  kOffline,   // calls of the plan's choice, no deadlines
  kAsLive,    // nominal blocks, one after the other; a block may take as long as it lasts
  kRealtime,  // nominal blocks, each begun when it would have been captured
};

struct PassOptions {
  ConvolutionMode mode = ConvolutionMode::kCausal;
  std::int64_t longest_taps = 1;
  Pace pace = Pace::kOffline;
  std::size_t block_frames = 256;  // frames a call
  std::size_t depth = 0;           // calls under way besides the newest
  double sample_rate_hz = 48'000.0;
};

struct PassResult {
  std::int64_t frames_in = 0;
  std::int64_t frames_out = 0;
  DurationHistogram block_ns;  // of every call, from its submission or the wait for an older one
  std::int64_t deadline_misses = 0;
  std::int64_t first_missed_frame = -1;  // of the input
  bool interrupted = false;
};

/// Takes each block of the output. Its frames count from the first one kept; it may be written to.
template <class Sample>
using OutputTaker = std::function<void(const BasicBlock<Sample>& block)>;

/// Told the input frames done.
using ProgressTaker = std::function<void(std::int64_t frames)>;

/// Frames to look up beforehand, so that run_pass knows which frames the mode keeps.
std::size_t frames_to_prefetch(const PassOptions& options);

/// Filters all that `reader` gives, `prefetched` frames of which it holds, to the end or until an
/// interrupt is requested. Throws: what the reader and the takers throw.
template <class Sample>
PassResult run_pass(BasicEngine<Sample>& engine, FrameReader<Sample>& reader,
                    std::size_t prefetched, const PassOptions& options,
                    const OutputTaker<Sample>& take, const ProgressTaker& progress);

}  // namespace firbank::program
