// EncodedSink: a file of interleaved samples in one encoding, behind whatever header a format has.
//
// A write that fails, as on a full disk, leaves what was written before: finish() still completes a
// file of that.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/error.hpp"
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
  /// Told that the newest of them are not in the file after all.
  virtual void discount_frames(std::size_t frames) = 0;

  OutputFile file_;

 private:
  template <class Sample>
  void encode(const Sample* samples, std::size_t frames) {
    count_frames(frames);
    bytes_.resize(frames * encoder_.bytes_per_frame());
    encoder_.encode(samples, frames, bytes_.data());
    const std::uint64_t end = file_.written_bytes();
    try {
      file_.write(bytes_.data(), bytes_.size());
    } catch (const Error&) {
      // A disk that is full may have taken a part; finish() keeps what came before.
      discount_frames(frames);
      file_.cut_back(end);
      throw;
    }
  }
  void write_frames(const float* samples, std::size_t frames) final { encode(samples, frames); }
  void write_frames(const double* samples, std::size_t frames) final { encode(samples, frames); }

  Encoder encoder_;
  std::vector<unsigned char> bytes_;
};

}  // namespace firbank
