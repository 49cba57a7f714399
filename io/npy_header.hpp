// The header of NumPy's .npy format (NEP 1), parsed from and written to memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/sample_encoding.hpp"

namespace firbank {

struct NpyHeader {
  SampleEncoding encoding = SampleEncoding::kFloat64;  // int16, float32 or float64
  bool big_endian = false;
  std::uint64_t frames = 0;
  std::size_t channels = 1;
  std::size_t data_offset = 0;  // bytes from the start of the file

  std::uint64_t data_bytes() const noexcept {
    return frames * channels * bytes_per_sample(encoding);
  }
};

/// Bytes of magic, version and the length field, at most; parse_npy_length needs these.
inline constexpr std::size_t kNpyPreambleBytes = 12;

/// Whether the bytes begin like a .npy file.
bool has_npy_magic(std::span<const unsigned char> bytes) noexcept;

/// Where the samples begin, from the first kNpyPreambleBytes bytes (or the whole file, if shorter).
/// Throws: Error (kInput) naming `path`.
std::size_t parse_npy_length(std::span<const unsigned char> preamble, const std::string& path);

/// The whole header, from the file's first parse_npy_length() bytes. Shapes (frames,) and (frames,
/// channels) in C order are allowed. Throws: Error (kInput) naming `path`, the value and what is
/// allowed.
NpyHeader parse_npy_header(std::span<const unsigned char> bytes, const std::string& path);

/// A version 1.0 header of a fixed size, so that the frame count can be patched in place.
std::string make_npy_header(const NpyHeader& header);

}  // namespace firbank
