#include "demos/firbank/doctor/memory_readings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

TEST(HugePages, CostWhereThereAreNever) {
  SystemTree tree;
  const char* const mode = "/sys/kernel/mm/transparent_hugepage/enabled";
  EXPECT_EQ(huge_page_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/sys/kernel/mm/ksm/run", "0\n");
  EXPECT_EQ(huge_page_reading(tree.files()).state, ReadingState::kAbsent);
  tree.write(mode, "[always] madvise never\n");
  EXPECT_EQ(huge_page_reading(tree.files()).state, ReadingState::kGood);
  tree.write(mode, "always [madvise] never\n");
  EXPECT_EQ(huge_page_reading(tree.files()).state, ReadingState::kGood);
  tree.write(mode, "always madvise [never]\n");
  EXPECT_EQ(huge_page_reading(tree.files()).state, ReadingState::kCosts);
  EXPECT_THAT(huge_page_reading(tree.files()).advice, HasSubstr("echo madvise"));
}

TEST(FreeMemory, CostsBelowATenth) {
  SystemTree tree;
  EXPECT_EQ(free_memory_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n");
  EXPECT_EQ(free_memory_reading(tree.files()).state, ReadingState::kGood);
  EXPECT_EQ(free_memory_reading(tree.files()).text, "4.00 GiB of 8.00 GiB");
  tree.write("/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 409600 kB\n");
  EXPECT_EQ(free_memory_reading(tree.files()).state, ReadingState::kCosts);
  for (const char* garbage : {"", "MemTotal: 1 kB\n", "MemTotal: 1 kB\nMemAvailable: 2 kB\n",
                              "MemTotal: 0 kB\nMemAvailable: 0 kB\n"}) {
    tree.write("/proc/meminfo", garbage);
    EXPECT_EQ(free_memory_reading(tree.files()).state, ReadingState::kUnknown) << garbage;
  }
}

TEST(Swap, CostsWhereItIsUsed) {
  SystemTree tree;
  EXPECT_EQ(swap_reading(tree.files()).state, ReadingState::kUnknown);
  tree.write("/proc/meminfo", "SwapTotal: 0 kB\nSwapFree: 0 kB\n");
  EXPECT_EQ(swap_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/proc/meminfo", "SwapTotal: 2048 kB\nSwapFree: 2048 kB\n");
  EXPECT_EQ(swap_reading(tree.files()).state, ReadingState::kGood);
  tree.write("/proc/meminfo", "SwapTotal: 2048 kB\nSwapFree: 1024 kB\n");
  EXPECT_EQ(swap_reading(tree.files()).state, ReadingState::kCosts);
  EXPECT_THAT(swap_reading(tree.files()).text, HasSubstr("1.0 MiB of 2.0 MiB"));
  tree.write("/proc/meminfo", "SwapTotal: 1 kB\nSwapFree: 2 kB\n");
  EXPECT_EQ(swap_reading(tree.files()).state, ReadingState::kUnknown);
}

}  // namespace
}  // namespace firbank::program
