// SampleEncoding: how one sample is stored; RawFormat: how a headerless stream is laid out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace firbank {

/// Integer formats hold full scale +-1 as +-2^(bits - 1).
enum class SampleEncoding { kInt16, kInt24, kInt32, kFloat32, kFloat64 };

std::size_t bytes_per_sample(SampleEncoding encoding) noexcept;
const char* name(SampleEncoding encoding) noexcept;  // "int16", ..., "float64"

/// "int16", "int24", "int32", "float32" or "float64".
/// Throws: Error (kConfiguration) naming the text and the allowed values.
SampleEncoding parse_sample_encoding(std::string_view text);

/// Interleaved samples with no header.
struct RawFormat {
  SampleEncoding encoding = SampleEncoding::kFloat32;
  bool big_endian = false;
  std::size_t channels = 1;
  double sample_rate_hz = 48'000.0;
};

/// "f32le:2:48000": encoding (s16, s24, s32, f32, f64) and byte order (le, be), channels, rate.
/// Throws: Error (kConfiguration) naming the part that is wrong and what is allowed.
RawFormat parse_raw_format(std::string_view text);

}  // namespace firbank
