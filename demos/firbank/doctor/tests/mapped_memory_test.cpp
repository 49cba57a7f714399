#include "demos/firbank/doctor/mapped_memory.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace firbank::program {
namespace {

constexpr std::size_t kBytes = 1'048'576;

std::size_t pages_present(MappedMemory& memory) {
  std::vector<unsigned char> present(memory.bytes() / MappedMemory::kPageBytes);
  EXPECT_EQ(mincore(memory.data(), memory.bytes(), present.data()), 0);
  std::size_t count = 0;
  for (const unsigned char page : present) count += page & 1u;
  return count;
}

TEST(MappedMemory, PagesComeWhenTheyAreTouchedUnlessTheyAreThere) {
  MappedMemory later(kBytes, false);
  ASSERT_NE(later.data(), nullptr);
  later.ask_for_huge_pages(false);
  EXPECT_EQ(pages_present(later), 0u);
  later.touch();
  EXPECT_EQ(pages_present(later), kBytes / MappedMemory::kPageBytes);
  MappedMemory now(kBytes, true);
  EXPECT_EQ(pages_present(now), kBytes / MappedMemory::kPageBytes);
}

TEST(MappedMemory, ASweepReadsAllOfIt) {
  MappedMemory memory(kBytes, false);
  memory.touch();
  EXPECT_EQ(memory.sweep(), kBytes / MappedMemory::kPageBytes);  // a 1 in each page
  memory.data()[kBytes - 64] = std::byte{5};
  EXPECT_EQ(memory.sweep(), kBytes / MappedMemory::kPageBytes + 5);
}

TEST(MappedMemory, WhatTheSystemDoesNotHaveIsNothing) {
  MappedMemory memory(std::size_t{1} << 60, false);
  EXPECT_EQ(memory.data(), nullptr);
  EXPECT_FALSE(memory.ask_for_huge_pages(true));
  memory.touch();
  EXPECT_EQ(memory.sweep(), 0u);
}

}  // namespace
}  // namespace firbank::program
