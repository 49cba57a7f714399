#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace peers {

/// Of an odd number of values the middle one, else the upper of the two middle ones.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace peers
