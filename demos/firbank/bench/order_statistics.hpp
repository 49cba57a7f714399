// Medians and quantiles of values that are all at hand.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace firbank::program {

/// The smallest value that at least `fraction` (0 to 1) of them do not exceed; 0 of none. Orders
/// them anew.
template <class Value>
Value quantile(std::vector<Value>& values, double fraction) {
  if (values.empty()) return Value{};
  const double wanted = std::ceil(fraction * static_cast<double>(values.size()));
  const std::size_t rank =
      std::clamp(static_cast<std::size_t>(wanted), std::size_t{1}, values.size());
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// The value in the middle; of an even number, half the sum of the two there. At least one. Orders
/// them anew.
inline double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

inline double median_of(std::vector<double> values) {
  return median(values);
}

}  // namespace firbank::program
