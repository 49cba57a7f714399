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

void ArrayJob::cut_unheard_taps() {
  std::vector<std::uint64_t> heard(taps.size(), 1);
  for (const ArrayEdge& edge : edges) {
    heard[edge.kernel] = std::max(heard[edge.kernel], windows[edge.output].end());
  }
  for (std::size_t k = 0; k < taps.size(); ++k) {
    taps[k] = static_cast<std::size_t>(std::min<std::uint64_t>(taps[k], heard[k]));
  }
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
