#include "demos/firbank/bench/noise_filters.hpp"

#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace firbank::program {

FilterBank noise_filters(std::size_t filters, std::size_t taps) {
  std::mt19937_64 random(1);
  const double scale = 1 / std::sqrt(static_cast<double>(taps));
  std::uniform_real_distribution<double> uniform(-scale, scale);
  std::vector<double> first(taps);
  for (double& tap : first) tap = uniform(random);
  std::vector<std::vector<double>> all(filters, std::vector<double>(taps));
  for (std::size_t f = 0; f < filters; ++f) {
    for (std::size_t k = 0; k < taps; ++k) all[f][k] = first[(k + 7 * f) % taps];
  }
  return FilterBank(std::move(all));
}

}  // namespace firbank::program
