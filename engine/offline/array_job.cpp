#include "engine/offline/array_job.hpp"

#include <algorithm>

namespace firbank {

std::size_t ArrayJob::unit_count() const noexcept {
  std::size_t count = 1;
  for (const std::size_t size : units) count *= size;
  return count;
}

std::size_t ArrayJob::longest() const noexcept {
  return taps.empty() ? 0 : *std::max_element(taps.begin(), taps.end());
}

ArrayWindow ArrayJob::all_windows() const noexcept {
  ArrayWindow all;
  bool any = false;
  for (const ArrayWindow& window : windows) {
    if (window.count == 0) continue;
    const std::uint64_t first = any ? std::min(all.first, window.first) : window.first;
    const std::uint64_t end = any ? std::max(all.end(), window.end()) : window.end();
    all = {first, end - first};
    any = true;
  }
  return all;
}

std::ptrdiff_t ArrayView::offset(const std::vector<std::size_t>& units, std::size_t unit,
                                 std::size_t plane) const noexcept {
  std::ptrdiff_t offset = offsets[plane];
  for (std::size_t d = units.size(); d-- > 0;) {
    offset += static_cast<std::ptrdiff_t>(unit % units[d]) * unit_strides[d];
    unit /= units[d];
  }
  return offset;
}

}  // namespace firbank
