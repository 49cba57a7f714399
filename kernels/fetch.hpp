// Hints that memory will be needed soon, so that it is there by then. No more than a few dozen
// cache lines can be on their way at once: many are best asked for in small lots, between other
// work.
//
// Thread:   any.
// Realtime: safe.
#pragma once

#include <cstddef>

#include "kernels/aligned_vector.hpp"

namespace firbank {

/// from[0..count) will be read.
template <class T>
void fetch_to_read(const T* from, std::size_t count) noexcept {
  constexpr std::size_t kLine = kCacheLineBytes / sizeof(T);
  for (std::size_t n = 0; n < count; n += kLine) __builtin_prefetch(from + n, 0);
}

/// to[0..count) will be written.
template <class T>
void fetch_to_write(T* to, std::size_t count) noexcept {
  constexpr std::size_t kLine = kCacheLineBytes / sizeof(T);
  for (std::size_t n = 0; n < count; n += kLine) __builtin_prefetch(to + n, 1);
}

}  // namespace firbank
