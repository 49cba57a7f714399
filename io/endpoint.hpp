// Source and Sink: where a stream comes from and where it goes.
//
// Both move planar blocks and know nothing of filters. Calls come from one thread at a time. Files
// and sockets may block and throw Error; they are not for a real-time thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "io/block.hpp"

namespace firbank {

struct StreamFormat {
  std::size_t channels = 1;
  double sample_rate_hz = 48'000.0;
  std::optional<std::int64_t> frames;  // length of the stream, when it is known beforehand
  std::string encoding;                // for people: "WAV, 24-bit", "raw f32le", ...
};

class Source {
 public:
  virtual ~Source() = default;

  virtual const StreamFormat& format() const noexcept = 0;

  /// Fills `block.planes` with up to `block.frames` frames and returns how many. Less than asked
  /// for means the end of the stream; 0 from then on. Sets first_frame of the block.
  /// Throws: Error (kInput) when the stream cannot be read.
  virtual std::size_t read(BasicBlock<float>& block) = 0;
  virtual std::size_t read(BasicBlock<double>& block) = 0;

  /// When the end has been read: bytes of an incomplete frame that were there and are dropped. Only
  /// headerless samples can end so.
  virtual std::size_t incomplete_frame_bytes() const noexcept { return 0; }
};

/// Samples that a sink's format could not hold and that were limited to its full scale. A NaN is
/// not one of them, though an integer format stores it as 0.
struct ClipCount {
  std::int64_t samples = 0;
  std::int64_t first_frame = -1;  // of the stream; -1 when nothing was clipped
};

class Sink {
 public:
  virtual ~Sink() = default;

  /// Takes all frames of the block. Throws: Error (kOutput) when they cannot be written.
  virtual void write(const BasicBlock<const float>& block) = 0;
  virtual void write(const BasicBlock<const double>& block) = 0;

  /// Completes the output (headers, flush, rename). A sink destroyed without finish() leaves
  /// nothing behind. Throws: Error (kOutput).
  virtual void finish() = 0;

  virtual ClipCount clipped() const noexcept = 0;
};

/// Endless silence, or `frames` of it.
class NullSource final : public Source {
 public:
  explicit NullSource(StreamFormat format) : format_(std::move(format)) {}
  const StreamFormat& format() const noexcept override { return format_; }
  std::size_t read(BasicBlock<float>& block) override { return silence(block); }
  std::size_t read(BasicBlock<double>& block) override { return silence(block); }

 private:
  template <class Sample>
  std::size_t silence(BasicBlock<Sample>& block) {
    std::size_t frames = block.frames;
    if (format_.frames) {
      const std::int64_t left = *format_.frames - position_;
      if (static_cast<std::int64_t>(frames) > left) frames = static_cast<std::size_t>(left);
    }
    for (std::size_t channel = 0; channel < block.channels; ++channel) {
      for (std::size_t n = 0; n < frames; ++n) block.planes[channel][n] = Sample{0};
    }
    block.first_frame = position_;
    position_ += static_cast<std::int64_t>(frames);
    return frames;
  }

  StreamFormat format_;
  std::int64_t position_ = 0;
};

/// Counts the frames and forgets them.
class NullSink final : public Sink {
 public:
  void write(const BasicBlock<const float>& block) override { frames_ += block.frames; }
  void write(const BasicBlock<const double>& block) override { frames_ += block.frames; }
  void finish() override {}
  ClipCount clipped() const noexcept override { return {}; }
  std::uint64_t frames() const noexcept { return frames_; }

 private:
  std::uint64_t frames_ = 0;
};

}  // namespace firbank
