#include "engine/filter_bank.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {

FilterBank::FilterBank(std::vector<std::vector<double>> filters, std::vector<std::string> names)
    : filters_(std::move(filters)), names_(std::move(names)) {
  if (filters_.empty()) {
    throw Error(ErrorKind::kConfiguration, "the filter bank has 0 filters; at least 1 is needed");
  }
  if (!names_.empty() && names_.size() != filters_.size()) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("the filter bank has {} filters but {} names; give one name a filter, "
                            "or none",
                            filters_.size(), names_.size()));
  }
  if (names_.empty()) {
    for (std::size_t i = 0; i < filters_.size(); ++i) names_.push_back(fmt::format("filter {}", i));
  }
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    const std::vector<double>& taps = filters_[i];
    if (taps.empty()) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("{}: it has 0 taps; at least 1 is needed", names_[i]));
    }
    const auto bad =
        std::find_if(taps.begin(), taps.end(), [](double tap) { return !std::isfinite(tap); });
    if (bad != taps.end()) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("{}: tap {} is {}; only finite numbers are allowed", names_[i],
                              bad - taps.begin(), *bad));
    }
  }
  const auto [shortest, longest] =
      std::minmax_element(filters_.begin(), filters_.end(),
                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
  shortest_ = shortest->size();
  longest_ = longest->size();
}

}  // namespace firbank
