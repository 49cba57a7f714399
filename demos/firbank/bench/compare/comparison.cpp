#include "demos/firbank/bench/compare/comparison.hpp"

namespace firbank::program {

const char* name_of(ComparisonVerdict verdict) noexcept {
  switch (verdict) {
    case ComparisonVerdict::kSlower:
      return "slower";
    case ComparisonVerdict::kFaster:
      return "faster";
    case ComparisonVerdict::kNoDifferenceShown:
      break;
  }
  return "no difference shown";
}

ComparisonVerdict decide(const RatioInterval& interval, const ComparisonRule& rule) noexcept {
  const bool more = interval.low > 1 && interval.ratio > 1 + rule.least_change;
  const bool less = interval.high < 1 && interval.ratio < 1 / (1 + rule.least_change);
  if (!more && !less) return ComparisonVerdict::kNoDifferenceShown;
  return more == rule.less_is_better ? ComparisonVerdict::kSlower : ComparisonVerdict::kFaster;
}

std::vector<std::vector<double>> interleave(
    std::size_t contestants, std::size_t rounds,
    const std::function<bool(std::size_t contestant, double& value)>& measure) {
  std::vector<std::vector<double>> all;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<double> values(contestants);
    for (std::size_t turn = 0; turn < contestants; ++turn) {
      const std::size_t contestant = round % 2 == 0 ? turn : contestants - 1 - turn;
      if (!measure(contestant, values[contestant])) return all;
    }
    all.push_back(std::move(values));
  }
  return all;
}

}  // namespace firbank::program
