#include "engine/filter_bank.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {

FilterBank::FilterBank(std::vector<std::vector<double>> filters, std::vector<std::string> names) {
  if (filters.empty()) {
    throw Error(ErrorKind::kConfiguration, "the filter bank has 0 filters; at least 1 is needed");
  }
  if (!names.empty() && names.size() != filters.size()) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("the filter bank has {} filters but {} names; give one name a filter, "
                            "or none",
                            filters.size(), names.size()));
  }
  if (names.empty()) {
    for (std::size_t i = 0; i < filters.size(); ++i) names.push_back(fmt::format("filter {}", i));
  }
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const std::vector<double>& taps = filters[i];
    if (taps.empty()) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("{}: it has 0 taps; at least 1 is needed", names[i]));
    }
    const auto bad =
        std::find_if(taps.begin(), taps.end(), [](double tap) { return !std::isfinite(tap); });
    if (bad != taps.end()) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("{}: tap {} is {}; only finite numbers are allowed", names[i],
                              bad - taps.begin(), *bad));
    }
  }
  const auto [shortest, longest] =
      std::minmax_element(filters.begin(), filters.end(),
                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
  Contents contents;
  contents.longest = longest->size();
  contents.shortest = shortest->size();
  contents.filters = std::move(filters);
  contents.names = std::move(names);
  contents_ = std::make_shared<const Contents>(std::move(contents));
}

FilterBank FilterBank::cut(std::size_t first, std::size_t last) const {
  std::vector<std::vector<double>> filters;
  for (const std::vector<double>& taps : contents_->filters) {
    const auto at = [&](std::size_t tap) {
      return taps.begin() + static_cast<std::ptrdiff_t>(std::min(tap, taps.size()));
    };
    std::vector<double>& part = filters.emplace_back(at(first), at(last));
    if (part.empty()) part.push_back(0);
  }
  return FilterBank(std::move(filters), contents_->names);
}

}  // namespace firbank
