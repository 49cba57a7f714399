// SampleCodec: samples between memory and a stored encoding.
//
// Integer encodings hold full scale +-1 as +-2^(bits - 1). Encoding saturates and counts what it
// had to limit. A NaN becomes 0 and is not counted here: it spoils its frame in any encoding, and
// is counted as that where it arises. A finite number that float32 cannot hold is limited and
// counted likewise; infinities and NaN stay what they are in float32 and float64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/endpoint.hpp"
#include "io/sample_encoding.hpp"

namespace firbank {

/// Triangular noise between -1 and 1 least significant bits, from a fixed seed.
class Dither {
 public:
  double next() noexcept { return uniform() + uniform(); }

 private:
  double uniform() noexcept;  // -0.5 to 0.5

  std::uint64_t state_ = 0x2545'F491'4F6C'DD1D;
};

/// `count` samples of `bytes` into `samples`.
template <class Sample>
void decode(const unsigned char* bytes, SampleEncoding encoding, bool big_endian, Sample* samples,
            std::size_t count) noexcept;

/// Writes interleaved samples to bytes, little-endian; remembers clipping and the stream position.
class Encoder {
 public:
  Encoder(SampleEncoding encoding, std::size_t channels, bool dither);

  /// `frames` frames, interleaved, to `bytes`.
  template <class Sample>
  void encode(const Sample* samples, std::size_t frames, unsigned char* bytes) noexcept;

  /// The same, for integer encodings, as 32-bit integers with the value in the upper bits.
  template <class Sample>
  void quantise(const Sample* samples, std::size_t frames, std::int32_t* out) noexcept;

  /// The same, for kFloat32, as floats.
  template <class Sample>
  void narrow(const Sample* samples, std::size_t frames, float* out) noexcept;

  std::size_t bytes_per_frame() const noexcept;
  SampleEncoding encoding() const noexcept { return encoding_; }
  ClipCount clipped() const noexcept { return clipped_; }

 private:
  std::int32_t quantise_one(double sample, std::int64_t frame) noexcept;
  float narrow_one(double sample, std::int64_t frame) noexcept;

  SampleEncoding encoding_;
  std::size_t channels_;
  int bits_;
  std::optional<Dither> dither_;
  std::int64_t frames_done_ = 0;
  ClipCount clipped_;
};

}  // namespace firbank
