#include "kernels/aligned_vector.hpp"

#if defined(__linux__)
#include <cstdint>

#include <sys/mman.h>
#endif

namespace firbank {
namespace {

#if defined(__linux__)
constexpr std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
}

/// From the system, and back to it when freed: what an allocator keeps of large blocks that begin
/// at huge pages is several times what is in use, and no limit of memory would count it.
void* map_huge_pages(std::size_t bytes) {
  const std::size_t whole = whole_pages(bytes);
  const std::size_t room = whole + kHugePageBytes;
  if (room < bytes) throw std::bad_alloc();
  void* const mapped =
      ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before =
      (kHugePageBytes - reinterpret_cast<std::uintptr_t>(begin) % kHugePageBytes) % kHugePageBytes;
  std::byte* const memory = begin + before;
  if (before > 0) ::munmap(begin, before);
  if (const std::size_t behind = room - before - whole) ::munmap(memory + whole, behind);
  // A wish: where it is not granted, the memory is as good as any other. What would fill less than
  // a huge page stays in small ones.
  ::madvise(memory, bytes / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
  return memory;
}
#endif

}  // namespace

void* allocate_aligned(std::size_t bytes) {
#if defined(__linux__)
  if (bytes >= kHugePageBytes) return map_huge_pages(bytes);
#endif
  return ::operator new (bytes, std::align_val_t{kCacheLineBytes});
}

void free_aligned(void* memory, std::size_t bytes) noexcept {
#if defined(__linux__)
  if (bytes >= kHugePageBytes) {
    ::munmap(memory, whole_pages(bytes));
    return;
  }
#endif
  ::operator delete (memory, std::align_val_t{kCacheLineBytes});
}

}  // namespace firbank
