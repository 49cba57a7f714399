#include "kernels/aligned_vector.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace firbank {
namespace {

std::align_val_t alignment_of(std::size_t bytes) noexcept {
  return std::align_val_t{bytes >= kHugePageBytes ? kHugePageBytes : kCacheLineBytes};
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  void* const memory = ::operator new(bytes, alignment_of(bytes));
#if defined(__linux__)
  // A wish: where it is not granted, the memory is as good as any other.
  if (bytes >= kHugePageBytes)
    ::madvise(memory, bytes / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void free_aligned(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, alignment_of(bytes));
}

}  // namespace firbank
