// FilterBank: an immutable list of FIR filters of any mix of lengths.
//
// Taps are kept in double precision; a backend rounds them once, to the precision it computes in.
// Immutable after construction, so any thread may read it.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace firbank {

class FilterBank {
 public:
  /// `filters[i]` holds the taps of filter i, `names[i]` (when given) what error messages call it.
  /// Throws: Error when there is no filter, a filter has no taps, or a tap is not finite.
  explicit FilterBank(std::vector<std::vector<double>> filters,
                      std::vector<std::string> names = {});

  /// The same for filters that are written out: FilterBank({{1.0}, {0.5, 0.5}}).
  FilterBank(std::initializer_list<std::vector<double>> filters)
      : FilterBank(std::vector<std::vector<double>>(filters)) {}

  std::size_t size() const noexcept { return filters_.size(); }
  std::span<const double> taps(std::size_t filter) const noexcept { return filters_[filter]; }
  const std::string& name(std::size_t filter) const noexcept { return names_[filter]; }
  std::size_t longest() const noexcept { return longest_; }    // taps
  std::size_t shortest() const noexcept { return shortest_; }  // taps

 private:
  std::vector<std::vector<double>> filters_;
  std::vector<std::string> names_;
  std::size_t longest_ = 0;
  std::size_t shortest_ = 0;
};

}  // namespace firbank
