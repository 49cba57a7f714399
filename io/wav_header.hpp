// The header of the WAV and RF64 files that firbank writes.
//
// Layout: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (1991), and
// EBU Tech 3306 for RF64. The format tag is 1 (integers) or 3 (floats) for any number of channels:
// more programs read these than the extensible one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "io/sample_encoding.hpp"

namespace firbank {

/// How long the file may become, which decides the size of its header.
enum class WavLength {
  kShort,  // below 4 GiB: 44 bytes for integers, 58 for floats
  kOpen,   // any: 36 bytes more, unused below 4 GiB
  kLong,   // always RF64
};

struct WavHeader {
  SampleEncoding encoding = SampleEncoding::kFloat32;
  std::size_t channels = 1;
  std::uint32_t sample_rate_hz = 48'000;
  WavLength length = WavLength::kOpen;
  std::uint64_t frames = 0;

  std::uint64_t data_bytes() const noexcept {
    return frames * channels * bytes_per_sample(encoding);
  }
};

/// Whether header and samples stay below 4 GiB.
bool is_short_wav(const WavHeader& header) noexcept;

/// Bytes up to the first sample; as many whatever `frames` is. A kShort header needs
/// is_short_wav().
std::string make_wav_header(const WavHeader& header);

}  // namespace firbank
