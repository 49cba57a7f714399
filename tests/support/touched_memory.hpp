// TouchedMemory: which bytes of global memory a kernel has loaded and stored, to find two kernels
// that must not run at the same time.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace firbank::test {

/// A set of addresses.
class AddressSet {
 public:
  void add(const void* first, std::size_t bytes);

  /// One that both have, or null.
  const void* common(AddressSet& other);

 private:
  struct Range {
    std::uintptr_t first;
    std::uintptr_t last;
  };
  /// Puts the ranges in order, those that touch into one.
  void tidy();

  std::vector<Range> ranges_;
  std::size_t tidy_at_ = 4'096;
};

struct TouchedMemory {
  AddressSet loaded;
  AddressSet stored;
};

/// An address that both have touched and at least one of them has stored to, or null.
const void* conflict(TouchedMemory& a, TouchedMemory& b);

}  // namespace firbank::test
