#include "tests/support/touched_memory.hpp"

#include <algorithm>

namespace firbank::test {

void AddressSet::add(const void* first, std::size_t bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(first);
  if (!ranges_.empty() && at >= ranges_.back().first && at <= ranges_.back().last) {
    ranges_.back().last = std::max(ranges_.back().last, at + bytes);
    return;
  }
  ranges_.push_back({at, at + bytes});
  if (ranges_.size() < tidy_at_) return;
  tidy();
  tidy_at_ = std::max(tidy_at_, 2 * ranges_.size());
}

void AddressSet::tidy() {
  if (ranges_.empty()) return;
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  auto kept = ranges_.begin();
  for (auto next = kept + 1; next != ranges_.end(); ++next) {
    if (next->first <= kept->last) {
      kept->last = std::max(kept->last, next->last);
    } else {
      *++kept = *next;
    }
  }
  ranges_.erase(kept + 1, ranges_.end());
}

const void* AddressSet::common(AddressSet& other) {
  tidy();
  other.tidy();
  auto mine = ranges_.begin();
  auto theirs = other.ranges_.begin();
  while (mine != ranges_.end() && theirs != other.ranges_.end()) {
    const std::uintptr_t first = std::max(mine->first, theirs->first);
    if (first < std::min(mine->last, theirs->last)) return reinterpret_cast<const void*>(first);
    if (mine->last < theirs->last) {
      ++mine;
    } else {
      ++theirs;
    }
  }
  return nullptr;
}

const void* conflict(TouchedMemory& a, TouchedMemory& b) {
  if (const void* at = a.stored.common(b.stored)) return at;
  if (const void* at = a.stored.common(b.loaded)) return at;
  return a.loaded.common(b.stored);
}

}  // namespace firbank::test
