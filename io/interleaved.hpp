// InterleavedSource, InterleavedSink: the planar face of everything that stores frames one after
// another. A format implements one read or write of interleaved frames per sample type.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "io/endpoint.hpp"

namespace firbank {

/// Frames that are moved at a time: as many as stay in the cache.
inline std::size_t interleaved_frames(std::size_t channels) noexcept {
  constexpr std::size_t kSamples = 16'384;
  return std::clamp<std::size_t>(kSamples / channels, 1, 4'096);
}

class InterleavedSource : public Source {
 public:
  const StreamFormat& format() const noexcept final { return format_; }
  std::size_t read(BasicBlock<float>& block) final { return read_planes(block, floats_); }
  std::size_t read(BasicBlock<double>& block) final { return read_planes(block, doubles_); }

 protected:
  explicit InterleavedSource(StreamFormat format) : format_(std::move(format)) {}

  /// Up to `frames` frames; fewer only at the end of the stream.
  virtual std::size_t read_frames(float* samples, std::size_t frames) = 0;
  virtual std::size_t read_frames(double* samples, std::size_t frames) = 0;

  StreamFormat format_;

 private:
  template <class Sample>
  std::size_t read_planes(BasicBlock<Sample>& block, std::vector<Sample>& buffer) {
    const std::size_t channels = format_.channels;
    const std::size_t most = interleaved_frames(channels);
    buffer.resize(most * channels);
    block.first_frame = position_;
    std::size_t done = 0;
    while (done < block.frames) {
      const std::size_t wanted = std::min(block.frames - done, most);
      const std::size_t got = read_frames(buffer.data(), wanted);
      for (std::size_t channel = 0; channel < std::min(channels, block.channels); ++channel) {
        Sample* plane = block.planes[channel] + done;
        for (std::size_t n = 0; n < got; ++n) plane[n] = buffer[n * channels + channel];
      }
      done += got;
      if (got < wanted) break;
    }
    position_ += static_cast<std::int64_t>(done);
    return done;
  }

  std::int64_t position_ = 0;
  std::vector<float> floats_;
  std::vector<double> doubles_;
};

class InterleavedSink : public Sink {
 public:
  void write(const BasicBlock<const float>& block) final { write_planes(block, floats_); }
  void write(const BasicBlock<const double>& block) final { write_planes(block, doubles_); }

 protected:
  explicit InterleavedSink(std::size_t channels) : channels_(channels) {}

  virtual void write_frames(const float* samples, std::size_t frames) = 0;
  virtual void write_frames(const double* samples, std::size_t frames) = 0;

  std::size_t channels_;

 private:
  template <class Sample>
  void write_planes(const BasicBlock<const Sample>& block, std::vector<Sample>& buffer) {
    const std::size_t most = interleaved_frames(channels_);
    buffer.resize(most * channels_);
    for (std::size_t done = 0; done < block.frames;) {
      const std::size_t part = std::min(block.frames - done, most);
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        const Sample* plane = block.planes[channel] + done;
        for (std::size_t n = 0; n < part; ++n) buffer[n * channels_ + channel] = plane[n];
      }
      write_frames(buffer.data(), part);
      done += part;
    }
  }

  std::vector<float> floats_;
  std::vector<double> doubles_;
};

}  // namespace firbank
