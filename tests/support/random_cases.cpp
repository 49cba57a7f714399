#include "tests/support/random_cases.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace firbank::test {

bool full_sweep() {
  const char* value = std::getenv("FIRBANK_TEST_FULL");
  return value != nullptr && std::string_view(value) == "1";
}

// The standard's distributions differ between libraries; these do not.
std::size_t between(Random& random, std::size_t first, std::size_t last) {
  return first + static_cast<std::size_t>(random() % (last - first + 1));
}

std::vector<double> random_samples(Random& random, std::size_t frames) {
  constexpr std::int64_t kSteps = std::int64_t{1} << 23;
  std::vector<double> samples(frames);
  for (double& sample : samples) {
    const auto step = static_cast<std::int64_t>(random() >> 40);  // 24 bits
    sample = (static_cast<double>(step - kSteps) + 0.5) / static_cast<double>(kSteps);
    sample = static_cast<float>(sample);
  }
  return samples;
}

Signal random_signal(Random& random, std::size_t channels, std::size_t frames) {
  Signal signal(channels);
  for (auto& channel : signal) channel = random_samples(random, frames);
  return signal;
}

void round_to_16_bits(Signal& signal) {
  for (std::vector<double>& channel : signal) {
    for (double& sample : channel) {
      sample = std::clamp(std::round(sample * 32'768), -32'768.0, 32'767.0) / 32'768;
    }
  }
}

std::vector<double> random_taps(Random& random, std::size_t count) {
  std::vector<double> taps = random_samples(random, count);
  double energy = 0;
  for (const double tap : taps) energy += tap * tap;
  for (double& tap : taps) tap /= std::sqrt(energy);
  return taps;
}

FilterBank random_bank(Random& random, const std::vector<std::size_t>& lengths) {
  std::vector<std::vector<double>> filters;
  for (const std::size_t length : lengths) filters.push_back(random_taps(random, length));
  return FilterBank(std::move(filters));
}

Routing random_routing(Random& random, std::size_t inputs, std::size_t outputs, std::size_t filters,
                       std::size_t edges, std::size_t max_delay) {
  std::vector<Edge> list;
  for (std::size_t i = 0; i < edges; ++i) {
    Edge edge{.input = i < inputs ? i : between(random, 0, inputs - 1),
              .filter = i < filters ? i : between(random, 0, filters - 1),
              .output = between(random, 0, outputs - 1)};
    edge.gain = (1.125 + 0.875 * random_samples(random, 1)[0]) * (edge.input % 2 == 0 ? 1 : -1);
    edge.delay = between(random, 0, 2) == 0 ? 0 : between(random, 0, max_delay);
    list.push_back(edge);
  }
  return Routing(inputs, outputs, std::move(list));
}

std::vector<std::size_t> random_calls(Random& random, std::size_t frames, std::size_t nominal,
                                      std::size_t max_frames) {
  std::vector<std::size_t> calls;
  while (frames > 0) {
    const std::size_t style = between(random, 0, 4);
    for (std::size_t left = between(random, 1, 12); left > 0 && frames > 0; --left) {
      std::size_t call = nominal;
      if (style == 1) call = 1;
      if (style == 2) call = between(random, 1, max_frames);
      if (style == 3) call = between(random, 1, nominal);
      if (style == 4) {
        const auto octaves = static_cast<std::size_t>(std::bit_width(max_frames));
        call = (std::size_t{1} << between(random, 0, octaves - 1)) + between(random, 0, 2) - 1;
      }
      call = std::min(frames, std::clamp<std::size_t>(call, 1, max_frames));
      calls.push_back(call);
      frames -= call;
    }
  }
  return calls;
}

std::vector<std::size_t> random_partition_frames(Random& random, std::size_t max_first) {
  constexpr std::size_t kMost = 32'768;
  std::size_t first = between(random, 1, max_first);
  if (between(random, 0, 2) != 0) first = std::bit_floor(first);
  std::vector<std::size_t> sizes{first};
  const std::size_t levels = between(random, 1, 5);
  while (sizes.size() < levels) {
    const std::size_t factor = between(random, 0, 2) != 0 ? std::size_t{1} << between(random, 1, 4)
                                                          : between(random, 2, 9);
    // Every size is a multiple of the first one.
    const std::size_t next = sizes.back() / first * factor * first;
    if (next > kMost) break;
    sizes.push_back(next);
  }
  return sizes;
}

std::vector<std::size_t> equal_calls(std::size_t frames, std::size_t call) {
  std::vector<std::size_t> calls(frames / call, call);
  if (frames % call != 0) calls.push_back(frames % call);
  return calls;
}

}  // namespace firbank::test
