#include "demos/firbank/bench/compare/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "demos/firbank/bench/order_statistics.hpp"

namespace firbank::program {
namespace {

/// Orders the values anew.
double trimmed_mean(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const std::size_t cut = values.size() / 5;
  double sum = 0;
  for (std::size_t n = cut; n < values.size() - cut; ++n) sum += values[n];
  return sum / static_cast<double>(values.size() - 2 * cut);
}

class Drawing {
 public:
  explicit Drawing(std::uint64_t seed) : random_(seed) {}

  /// As many values as there are, each any of them.
  void draw(std::span<const double> from, std::vector<double>& to) {
    std::uniform_int_distribution<std::size_t> any(0, from.size() - 1);
    to.resize(from.size());
    for (double& value : to) value = from[any(random_)];
  }

 private:
  std::mt19937_64 random_;
};

/// The interval of what `draw` gives, with `log_ratio` in its midst.
template <class Draw>
RatioInterval interval(double log_ratio, const BootstrapSettings& settings, const Draw& draw) {
  std::vector<double> drawn(std::max<std::size_t>(1, settings.draws));
  for (double& value : drawn) value = draw();
  std::sort(drawn.begin(), drawn.end());
  const double tail = (1 - settings.confidence) / 2;
  const auto last = static_cast<double>(drawn.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(tail * last));
  const auto high = static_cast<std::size_t>(std::ceil((1 - tail) * last));
  return {std::exp(log_ratio), std::exp(drawn[low]), std::exp(drawn[high])};
}

}  // namespace

RatioInterval paired_ratio(std::span<const double> a, std::span<const double> b,
                           const BootstrapSettings& settings) {
  std::vector<double> logs(a.size());
  for (std::size_t n = 0; n < logs.size(); ++n) logs[n] = std::log(b[n] / a[n]);
  std::vector<double> ordered = logs;
  Drawing drawing(settings.seed);
  std::vector<double> drawn;
  return interval(trimmed_mean(ordered), settings, [&] {
    drawing.draw(logs, drawn);
    return trimmed_mean(drawn);
  });
}

RatioInterval unpaired_ratio(std::span<const double> a, std::span<const double> b,
                             const BootstrapSettings& settings) {
  std::vector<double> of_a(a.begin(), a.end());
  std::vector<double> of_b(b.begin(), b.end());
  const double log_ratio = std::log(median(of_b) / median(of_a));
  Drawing drawing(settings.seed);
  return interval(log_ratio, settings, [&] {
    drawing.draw(a, of_a);
    drawing.draw(b, of_b);
    return std::log(median(of_b) / median(of_a));
  });
}

}  // namespace firbank::program
