#include "engine/live_history.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

/// Frame n of channel c is n, and as much again for each channel; all exact in float.
void write(LiveHistory& history, std::size_t channels, std::size_t frames) {
  std::vector<std::vector<float>> samples(channels, std::vector<float>(frames));
  std::vector<const float*> planes;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t n = 0; n < frames; ++n) {
      const auto frame = static_cast<float>(history.end() + static_cast<std::int64_t>(n));
      samples[c][n] = frame * static_cast<float>(c + 1);
    }
    planes.push_back(samples[c].data());
  }
  history.write(planes.data(), frames);
}

/// Whether [from, from + frames) can be read and is what was written.
testing::AssertionResult reads(const LiveHistory& history, std::size_t channels, std::int64_t from,
                               std::size_t frames) {
  std::vector<std::vector<float>> samples(channels, std::vector<float>(frames));
  std::vector<float*> planes;
  planes.reserve(channels);
  for (auto& channel : samples) planes.push_back(channel.data());
  if (!history.read(from, frames, planes.data())) return testing::AssertionFailure() << "not kept";
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t n = 0; n < frames; ++n) {
      const auto frame = static_cast<float>(from + static_cast<std::int64_t>(n));
      if (samples[c][n] == frame * static_cast<float>(c + 1)) continue;
      return testing::AssertionFailure() << "frame " << frame << " is " << samples[c][n];
    }
  }
  return testing::AssertionSuccess();
}

TEST(LiveHistory, GivesAnyOfItsNewestFrames) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    test::Random random(seed);
    const std::size_t kept = test::between(random, 1, 300);
    LiveHistory history(3, kept);
    EXPECT_EQ(history.end(), 0);
    for (int call = 0; call < 50; ++call) {
      write(history, 3, test::between(random, 0, kept));
      const auto held = static_cast<std::size_t>(history.end() - history.first());
      EXPECT_LE(held, kept);
      EXPECT_TRUE(reads(history, 3, history.first(), held));
      const std::size_t frames = test::between(random, 0, held);
      EXPECT_TRUE(reads(history, 3, history.end() - static_cast<std::int64_t>(frames), frames));
      EXPECT_FALSE(reads(history, 3, history.first() - 1, 1));
      EXPECT_FALSE(reads(history, 3, history.end(), 1));
    }
    history.forget();
    EXPECT_EQ(history.first(), history.end());
    write(history, 3, 1);
    EXPECT_TRUE(reads(history, 3, history.first(), 1));
    EXPECT_FALSE(reads(history, 3, history.first() - 1, 1));
  }
}

TEST(LiveHistory, NeverGivesWhatIsWrittenOver) {
  constexpr std::size_t kKept = 256;
  LiveHistory history(2, kKept);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    // As long as every number is exact in float.
    while (history.end() < (1 << 22)) write(history, 2, 1 + history.end() % 64);
    done = true;
  });
  std::size_t read = 0;
  while (!done) {
    const std::int64_t from = history.first();
    const testing::AssertionResult result = reads(history, 2, from, 64);
    if (result) ++read;
    if (!result) {
      ASSERT_STREQ(result.message(), "not kept");
    }
  }
  writer.join();
  EXPECT_TRUE(reads(history, 2, history.first(), kKept));
  RecordProperty("stretches_read", static_cast<int>(read));
}

}  // namespace
}  // namespace firbank
