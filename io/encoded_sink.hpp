// EncodedSink: a file of interleaved samples in one encoding, behind whatever header a format has.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "io/interleaved.hpp"
#include "io/output_file.hpp"
#include "io/sample_codec.hpp"

namespace firbank {

class EncodedSink : public InterleavedSink {
 public:
  ClipCount clipped() const noexcept final { return encoder_.clipped(); }

 protected:
  EncodedSink(const std::string& path, std::size_t channels, SampleEncoding encoding, bool dither)
      : InterleavedSink(channels), file_(path), encoder_(encoding, channels, dither) {}

  /// Told of frames before they are written; for headers that hold a length.
  virtual void count_frames(std::size_t frames) = 0;

  OutputFile file_;

 private:
  template <class Sample>
  void encode(const Sample* samples, std::size_t frames) {
    count_frames(frames);
    bytes_.resize(frames * encoder_.bytes_per_frame());
    encoder_.encode(samples, frames, bytes_.data());
    file_.write(bytes_.data(), bytes_.size());
  }
  void write_frames(const float* samples, std::size_t frames) final { encode(samples, frames); }
  void write_frames(const double* samples, std::size_t frames) final { encode(samples, frames); }

  Encoder encoder_;
  std::vector<unsigned char> bytes_;
};

}  // namespace firbank
