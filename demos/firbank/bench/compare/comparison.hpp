// Comparison: whether one thing is slower than another, with the uncertainty of saying so.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "demos/firbank/bench/compare/bootstrap.hpp"

namespace firbank::program {

enum class ComparisonVerdict { kSlower, kFaster, kNoDifferenceShown };

/// "slower", "faster", "no difference shown".
const char* name_of(ComparisonVerdict verdict) noexcept;

struct ComparisonRule {
  double least_change = 0.01;  // a difference that is smaller is none, however sure
  bool less_is_better = true;
};

/// Slower: the whole interval lies beyond 1 on the worse side, and the ratio beyond least_change.
ComparisonVerdict decide(const RatioInterval& interval, const ComparisonRule& rule) noexcept;

/// Measures each of `contestants` once a round: in their order in even rounds, in the opposite one
/// in odd ones, so that neither what drifts nor what the first one leaves behind favours one.
/// Returns a value of each for every round; fewer rounds where `measure` asks to stop, by false.
std::vector<std::vector<double>> interleave(
    std::size_t contestants, std::size_t rounds,
    const std::function<bool(std::size_t contestant, double& value)>& measure);

}  // namespace firbank::program
