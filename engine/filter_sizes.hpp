// FilterSizes: how many taps each filter has, which is all of a bank that a plan depends on.
//
// Thread: any; immutable after construction.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/filter_bank.hpp"

namespace firbank {

class FilterSizes {
 public:
  /// Of a bank, which every plan may be asked for by itself.
  FilterSizes(const FilterBank& bank);  // NOLINT(google-explicit-constructor)
  /// Of filters that need not be there. Throws: Error when there is none, or one without taps.
  explicit FilterSizes(std::vector<std::size_t> taps);

  std::size_t size() const noexcept { return taps_.size(); }
  std::size_t taps(std::size_t filter) const noexcept { return taps_[filter]; }
  std::size_t longest() const noexcept { return longest_; }  // taps
  /// What error messages call it.
  std::string name(std::size_t filter) const;

 private:
  std::vector<std::size_t> taps_;
  std::size_t longest_ = 0;
  std::optional<FilterBank> bank_;
};

}  // namespace firbank
