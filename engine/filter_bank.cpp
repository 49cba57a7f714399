#include "engine/filter_bank.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {

FilterBank::FilterBank(std::vector<std::vector<double>> filters, std::vector<std::string> names)
    : FilterBank(std::move(filters), std::move(names), {}) {}

FilterBank::FilterBank(std::vector<std::vector<double>> filters, std::vector<std::string> names,
                       std::vector<bool> is_cut_away) {
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
  is_cut_away.resize(filters.size());
  contents.is_cut_away = std::move(is_cut_away);
  contents.longest = longest->size();
  contents.shortest = shortest->size();
  contents.filters = std::move(filters);
  contents.names = std::move(names);
  contents_ = std::make_shared<const Contents>(std::move(contents));
}

FilterBank FilterBank::cut(std::size_t first, std::size_t last) const {
  std::vector<std::vector<double>> filters;
  std::vector<bool> is_cut_away = contents_->is_cut_away;
  for (std::size_t filter = 0; filter < size(); ++filter) {
    const std::vector<double>& taps = contents_->filters[filter];
    const auto at = [&](std::size_t tap) {
      return taps.begin() + static_cast<std::ptrdiff_t>(std::min(tap, taps.size()));
    };
    std::vector<double>& part = filters.emplace_back(at(first), at(last));
    if (!part.empty()) continue;
    part.push_back(0);
    is_cut_away[filter] = true;
  }
  return FilterBank(std::move(filters), contents_->names, std::move(is_cut_away));
}

}  // namespace firbank
