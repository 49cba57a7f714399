// FrameReader: takes frames from a Source, after looking some of them up beforehand.
//
// An input that breaks because the program was told to stop ends there, without an error.
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <vector>

#include "demos/firbank/interrupt.hpp"
#include "io/endpoint.hpp"
#include "io/error.hpp"

namespace firbank::program {

template <class Sample>
class FrameReader {
 public:
  explicit FrameReader(Source& source)
      : source_(source), held_(source.format().channels), planes_(source.format().channels) {}

  /// Reads `frames` frames ahead and returns how many there are: fewer when the stream is shorter.
  /// To be called once, before read().
  std::size_t prefetch(std::size_t frames) {
    constexpr std::size_t kStep = 65'536;  // memory grows with the stream, not with the wish
    while (held_frames_ < frames) {
      const std::size_t step = frames - held_frames_ < kStep ? frames - held_frames_ : kStep;
      for (std::vector<Sample>& plane : held_) plane.resize(held_frames_ + step);
      for (std::size_t c = 0; c < held_.size(); ++c) planes_[c] = held_[c].data() + held_frames_;
      const std::size_t got = read_source(step);
      held_frames_ += got;
      if (got < step) break;
    }
    return held_frames_;
  }

  /// Up to `frames` frames into `planes`; fewer only at the end of the stream.
  std::size_t read(Sample* const* planes, std::size_t frames) {
    std::size_t done = 0;
    while (done < frames && taken_ < held_frames_) {
      for (std::size_t c = 0; c < held_.size(); ++c) planes[c][done] = held_[c][taken_];
      ++done;
      ++taken_;
    }
    if (done == frames) return done;
    for (std::size_t c = 0; c < planes_.size(); ++c) planes_[c] = planes[c] + done;
    return done + read_source(frames - done);
  }

 private:
  std::size_t read_source(std::size_t frames) {
    if (ended_) return 0;
    BasicBlock<Sample> block;
    block.planes = planes_.data();
    block.channels = planes_.size();
    block.frames = frames;
    std::size_t got = 0;
    try {
      got = source_.read(block);
    } catch (const Error&) {
      if (!interrupt_requested()) throw;
    }
    ended_ = got < frames;
    return got;
  }

  Source& source_;
  std::vector<std::vector<Sample>> held_;
  std::vector<Sample*> planes_;
  std::size_t held_frames_ = 0;
  std::size_t taken_ = 0;
  bool ended_ = false;
};

}  // namespace firbank::program
