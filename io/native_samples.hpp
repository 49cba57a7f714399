// NativeFormat: samples in a caller's memory, in the machine's byte order, and their way to and
// from planes of float or double.
//
// A stored value v stands for v * scale + offset.
//
// Realtime: safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firbank {

enum class NativeType { kInt16, kInt32, kFloat32, kFloat64 };

struct NativeFormat {
  NativeType type = NativeType::kFloat32;
  bool is_planar = false;  // a buffer is an array of pointers, one a channel; else interleaved
  double scale = 1;        // finite and not 0
  double offset = 0;       // finite

  /// Throws: Error naming `what`, the value and what is allowed.
  void check(const char* what) const;
};

/// Frames [first, first + frames) of `buffer` to planes[channel][0] on.
template <class Sample>
void from_native(const NativeFormat& format, const void* buffer, std::size_t channels,
                 std::size_t first, std::size_t frames, Sample* const* planes) noexcept;

/// The other way; returns how many samples an integer type had to limit. A value is rounded to the
/// nearest, ties to even; NaN becomes 0 where there is none.
template <class Sample>
std::uint64_t to_native(const NativeFormat& format, const Sample* const* planes,
                        std::size_t channels, std::size_t first, std::size_t frames,
                        void* buffer) noexcept;

}  // namespace firbank
