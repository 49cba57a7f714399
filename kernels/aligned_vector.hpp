// AlignedVector: a std::vector whose storage starts on a cache line, as the SIMD kernels expect.
// Large ones lie in huge pages where the system has them: spectra are swept from end to end, and
// with small pages the processor spends a good part of a sweep on looking addresses up.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace firbank {

inline constexpr std::size_t kCacheLineBytes = 64;

/// From `kHugePageBytes` on aligned to that, and huge pages are asked for. Throws: std::bad_alloc.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* memory, std::size_t bytes) noexcept;
inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

template <class T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(allocate_aligned(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    free_aligned(memory, count * sizeof(T));
  }
  friend bool operator==(CacheLineAllocator, CacheLineAllocator) noexcept { return true; }
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace firbank
