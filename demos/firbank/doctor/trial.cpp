#include "demos/firbank/doctor/trial.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace firbank::program {
namespace {

constexpr double kTail = 0.99;
/// Fewer values have no 99th percentile but their highest.
constexpr std::size_t kLeastForTail = 200;
constexpr double kLeastSavedUs = 1;
constexpr double kLeastShareSaved = 0.1;

/// By nearest rank.
double quantile_of(std::vector<double> values, double quantile) {
  const auto rank =
      static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// One side's repeats, sorted, with the highest left out where that leaves two.
struct Side {
  Side(const std::vector<std::vector<double>>& repeats, double quantile) {
    for (const std::vector<double>& one : repeats) of_repeats.push_back(quantile_of(one, quantile));
    std::sort(of_repeats.begin(), of_repeats.end());
    median = quantile_of(of_repeats, 0.5);
    compared = of_repeats.size() > 2 ? of_repeats.size() - 1 : of_repeats.size();
  }
  double lowest() const { return of_repeats.front(); }
  double highest() const { return of_repeats[compared - 1]; }
  double spread() const { return (highest() - lowest()) / 2; }

  std::vector<double> of_repeats;
  std::size_t compared = 0;
  double median = 0;
};

TrialFigure figure(double quantile, const std::vector<std::vector<double>>& as_it_is,
                   const std::vector<std::vector<double>>& changed) {
  const Side before(as_it_is, quantile), after(changed, quantile);
  const bool apart = before.highest() < after.lowest() || after.highest() < before.lowest();
  // Two repeats a side lie apart by chance a third of the time.
  const bool enough = before.compared >= 3 && after.compared >= 3;
  return {quantile, before.median, after.median, before.spread(), after.spread(), apart && enough};
}

std::size_t least_size(const std::vector<std::vector<double>>& repeats) {
  std::size_t least = repeats.front().size();
  for (const std::vector<double>& one : repeats) least = std::min(least, one.size());
  return least;
}

}  // namespace

const TrialFigure& Trial::telling() const {
  return p99 && (p99->shown || !median.shown) ? *p99 : median;
}

bool Trial::is_worth_it() const {
  const TrialFigure& one = telling();
  return one.shown && one.saved_us() >= kLeastSavedUs &&
         one.saved_us() >= kLeastShareSaved * one.as_it_is_us;
}

std::optional<Trial> run_trial(TrialText text, const Repeat& as_it_is, const Repeat& changed,
                               const TrialRules& rules) {
  std::vector<std::vector<double>> values[2];
  const Repeat* const sides[] = {&as_it_is, &changed};
  for (std::size_t n = 0; n < rules.repeats; ++n) {
    // Who is first changes as well: what grows steadily would favour whoever always is.
    for (const std::size_t side : {n % 2, 1 - n % 2}) {
      if (rules.is_stopped()) return std::nullopt;
      (*sides[side])(values[side].emplace_back());
      if (rules.is_stopped() || values[side].back().empty()) return std::nullopt;
      if (rules.repeat_was_made) rules.repeat_was_made();
    }
  }
  if (values[0].empty()) return std::nullopt;
  return judge_trial(std::move(text), values[0], values[1]);
}

Trial judge_trial(TrialText text, const std::vector<std::vector<double>>& as_it_is,
                  const std::vector<std::vector<double>>& changed) {
  Trial trial;
  trial.text = std::move(text);
  const std::size_t least = std::min(least_size(as_it_is), least_size(changed));
  trial.count = least * std::min(as_it_is.size(), changed.size());
  trial.median = figure(0.5, as_it_is, changed);
  if (least >= kLeastForTail) trial.p99 = figure(kTail, as_it_is, changed);
  return trial;
}

std::string rounded(double value, double spread) {
  if (!std::isfinite(value) || value == 0) return "0";
  const auto decade = [](double of) { return static_cast<int>(std::floor(std::log10(of))); };
  const int first = decade(std::abs(value));
  // The last digit that is kept is the spread's first one, but one is left at least.
  int last = first - 2;
  if (spread > 0) last = std::max(last, decade(spread));
  last = std::min(last, first);
  const double step = std::pow(10.0, last);
  return fmt::format("{:.{}f}", std::round(value / step) * step, std::max(0, -last));
}

}  // namespace firbank::program
