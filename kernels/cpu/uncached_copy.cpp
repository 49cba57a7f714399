#include "kernels/cpu/uncached_copy.hpp"

#include <cstring>

#include <unistd.h>

#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/uncached_copy.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/uncached_copy-inl.h"

#if HWY_ONCE
namespace firbank {
namespace {

void copy_as_usual(const void* from, void* to, std::size_t bytes) noexcept {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

}  // namespace

UncachedCopy uncached_copy(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, uncached_copy_kernel())
  return set == InstructionSet::kScalar ? &copy_as_usual : nullptr;
}

std::size_t last_level_cache_bytes() noexcept {
#ifdef _SC_LEVEL3_CACHE_SIZE
  const long bytes = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  if (bytes > 0) return static_cast<std::size_t>(bytes);
#endif
  return std::size_t{32} << 20;
}

}  // namespace firbank
#endif  // HWY_ONCE
