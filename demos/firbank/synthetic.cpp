#include "demos/firbank/synthetic.hpp"

#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"

namespace firbank::program {

void SyntheticBank::add_to(CLI::App& command) {
  command
      .add_option("--filters", filters,
                  fmt::format("Without --filter: how many noise filters ({})", filters))
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command
      .add_option("--taps", taps,
                  fmt::format("Without --filter: taps of the longest noise filter ({})", taps))
      ->type_name("N")
      ->check(whole_number(1, 16'777'216));
}

FilterBank SyntheticBank::make(std::uint64_t seed) const {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> sample(-1.0, 1.0);
  std::uniform_int_distribution<std::size_t> length(1, taps);
  std::vector<std::vector<double>> bank(filters);
  for (std::size_t i = 0; i < filters; ++i) {
    bank[i].resize(i == 0 ? taps : length(random));
    const double decay = std::log(1e-3) / static_cast<double>(bank[i].size());
    for (std::size_t k = 0; k < bank[i].size(); ++k) {
      bank[i][k] = sample(random) * std::exp(decay * static_cast<double>(k));
    }
  }
  return FilterBank(std::move(bank));
}

Signal noise(std::size_t channels, std::size_t frames, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> sample(-1.0f, 1.0f);
  Signal signal(channels, std::vector<double>(frames));
  for (std::vector<double>& plane : signal) {
    for (double& value : plane) value = static_cast<double>(sample(random));
  }
  return signal;
}

}  // namespace firbank::program
