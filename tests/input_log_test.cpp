// InputLog: calls of any lengths, read back anywhere, against plain vectors.
#include "engine/input_log.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace firbank {
namespace {

using Random = std::mt19937_64;

std::size_t between(Random& random, std::size_t first, std::size_t last) {
  return first + random() % (last - first + 1);
}

/// The sample of a channel at a frame: all differ.
double sample(std::size_t channel, std::int64_t frame) {
  return static_cast<double>(frame) * 64 + static_cast<double>(channel);
}

/// Frames `skipped` and later of planes that hold the next ones there.
void append(InputLog<double>& log, std::size_t channels, std::size_t skipped, std::size_t frames,
            WorkerPool& pool) {
  std::vector<std::vector<double>> planes(channels, std::vector<double>(skipped + frames, -2));
  std::vector<const double*> in;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t n = 0; n < frames; ++n) {
      planes[channel][skipped + n] = sample(channel, log.clock() + static_cast<std::int64_t>(n));
    }
    in.push_back(planes[channel].data());
  }
  log.append(in.data(), skipped, frames, pool);
}

TEST(InputLogTest, GivesBackWhatItPromisesToKeep) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t channels = between(random, 1, 5);
    const std::size_t kept = between(random, 1, 40);
    const std::size_t most = between(random, 1, 30);
    const bool small = random() % 3 == 0;  // calls of one frame fill the list of stretches
    InputLog<double> log(channels, kept, most);
    WorkerPool pool(between(random, 1, 2));
    for (int call = 0; call < 60; ++call) {
      append(log, channels, between(random, 0, 3), small ? 1 : between(random, 0, most), pool);
      const auto there = std::min<std::size_t>(kept, static_cast<std::size_t>(log.clock()));
      const std::size_t frames = between(random, 0, there);
      const std::size_t back = between(random, frames, there);  // from the newest frame
      const std::int64_t first = log.clock() - static_cast<std::int64_t>(back);
      std::vector<std::vector<double>> planes(channels, std::vector<double>(frames + 1, -1));
      std::vector<double*> pointers;
      for (std::vector<double>& plane : planes) pointers.push_back(plane.data());
      log.read(first, frames, pointers.data());
      for (std::size_t channel = 0; channel < channels; ++channel) {
        for (std::size_t n = 0; n < frames; ++n) {
          ASSERT_EQ(planes[channel][n], sample(channel, first + static_cast<std::int64_t>(n)))
              << "channel " << channel << ", frame " << n << " of " << frames;
        }
        ASSERT_EQ(planes[channel][frames], -1) << "written beyond the end";
      }
    }
  }
}

}  // namespace
}  // namespace firbank
