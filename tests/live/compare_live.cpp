// Compares what a live run played with what it should have.
//
//   compare_live equal RECORDING REFERENCE DELAY[-DELAY]   prints "delay 64, error -140.2 dB" of
//       the recording, DELAY frames later, against the reference, over all channels; where a range
//       of delays is given, of the best of them. The recording's frames past the reference are
//       compared with silence. Exit code 1 above -100 dB.
//   compare_live jumps FILE FIRST LAST   prints the largest step between successive samples of
//       frames FIRST to LAST, over all channels.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "io/files.hpp"

namespace {

using Channels = std::vector<std::vector<double>>;

Channels read(const char* path) {
  return firbank::read_all(*firbank::open_source(path));
}

/// sum (recorded[n] - reference[n - delay])^2 over sum reference^2, in dB.
double error_db(const Channels& recorded, const Channels& reference, std::size_t delay) {
  double error = 0;
  double energy = 0;
  for (std::size_t c = 0; c < recorded.size(); ++c) {
    for (std::size_t n = 0; n < recorded[c].size(); ++n) {
      const bool inside = n >= delay && n - delay < reference[c].size();
      const double expected = inside ? reference[c][n - delay] : 0.0;
      error += (recorded[c][n] - expected) * (recorded[c][n] - expected);
      energy += expected * expected;
    }
  }
  return 10 * std::log10(error / energy + 1e-30);
}

int equal(char** arguments) {
  constexpr double kLimitDb = -100;
  const Channels recorded = read(arguments[0]);
  const Channels reference = read(arguments[1]);
  if (recorded.size() != reference.size()) {
    std::printf("%zu channels were recorded, of %zu\n", recorded.size(), reference.size());
    return 1;
  }
  char* end = nullptr;
  const std::size_t first = std::strtoull(arguments[2], &end, 10);
  const std::size_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
  std::size_t best = first;
  double least = INFINITY;
  for (std::size_t delay = first; delay <= last; ++delay) {
    const double error = error_db(recorded, reference, delay);
    if (error < least) {
      least = error;
      best = delay;
    }
  }
  std::printf("delay %zu, error %.1f dB\n", best, least);
  return least <= kLimitDb ? 0 : 1;
}

int jumps(char** arguments) {
  const Channels channels = read(arguments[0]);
  const std::size_t first = std::strtoull(arguments[1], nullptr, 10);
  const std::size_t last = std::strtoull(arguments[2], nullptr, 10);
  double most = 0;
  for (const auto& channel : channels) {
    for (std::size_t n = first + 1; n < std::min(last, channel.size()); ++n) {
      most = std::max(most, std::abs(channel[n] - channel[n - 1]));
    }
  }
  std::printf("%.9f\n", most);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 5 && std::strcmp(argv[1], "equal") == 0) return equal(argv + 2);
    if (argc == 5 && std::strcmp(argv[1], "jumps") == 0) return jumps(argv + 2);
    std::fprintf(stderr, "usage: compare_live equal|jumps FILE ...\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare_live: %s\n", error.what());
  }
  return 1;
}
