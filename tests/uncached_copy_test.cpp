// The copy past the caches, on every instruction set: all bytes of any length, from and to any
// place, and none besides.
#include "kernels/cpu/uncached_copy.hpp"

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/aligned_vector.hpp"
#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using UncachedCopyTest = test::InstructionSetTest;

TEST_P(UncachedCopyTest, CopiesEveryByteAndNoneBesides) {
  const UncachedCopy copy = uncached_copy(GetParam());
  ASSERT_NE(copy, nullptr);
  constexpr std::size_t kMost = 400;
  constexpr std::byte kUntouched{0xA5};
  AlignedVector<std::byte> from(kMost + 64);
  for (std::size_t n = 0; n < from.size(); ++n) from[n] = static_cast<std::byte>(n * 7 + n / 64);
  for (std::size_t bytes = 0; bytes <= kMost; ++bytes) {
    for (const std::size_t at : {0, 1, 2, 4, 31, 32, 60, 63}) {
      const std::size_t source = (at * 5 + bytes) % 64;
      AlignedVector<std::byte> to(bytes + 64, kUntouched);
      copy(from.data() + source, to.data() + at, bytes);
      for (std::size_t n = 0; n < to.size(); ++n) {
        const bool is_copied = n >= at && n < at + bytes;
        ASSERT_EQ(to[n], is_copied ? from[source + n - at] : kUntouched)
            << "byte " << n << " of " << bytes << " copied to place " << at;
      }
    }
  }
}

TEST(LastLevelCache, HasASizeThatACacheMayHave) {
  EXPECT_GE(last_level_cache_bytes(), std::size_t{128} << 10);
  EXPECT_LE(last_level_cache_bytes(), std::size_t{4} << 30);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, UncachedCopyTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
