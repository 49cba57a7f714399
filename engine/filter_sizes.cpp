#include "engine/filter_sizes.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {

FilterSizes::FilterSizes(const FilterBank& bank) : longest_(bank.longest()), bank_(bank) {
  taps_.reserve(bank.size());
  for (std::size_t filter = 0; filter < bank.size(); ++filter) {
    taps_.push_back(bank.taps(filter).size());
  }
}

FilterSizes::FilterSizes(std::vector<std::size_t> taps) : taps_(std::move(taps)) {
  if (taps_.empty()) {
    throw Error(ErrorKind::kConfiguration, "there are 0 filters; at least 1 is needed");
  }
  longest_ = *std::max_element(taps_.begin(), taps_.end());
  const auto empty = std::find(taps_.begin(), taps_.end(), std::size_t{0});
  if (empty == taps_.end()) return;
  throw Error(ErrorKind::kConfiguration,
              fmt::format("filter {} has 0 taps; at least 1 is needed", empty - taps_.begin()));
}

std::string FilterSizes::name(std::size_t filter) const {
  return bank_ ? bank_->name(filter) : fmt::format("filter {}", filter);
}

}  // namespace firbank
