// The ring of past samples, against a list of everything that was ever written.
#include "engine/input_history.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

using test::Random;

/// A history and all that was written to it; a frame's sample is a number that names it.
class Written {
 public:
  Written(std::size_t channels, std::size_t capacity, std::size_t window)
      : history(channels, capacity, window), samples_(channels) {}

  /// Frames from the clock on, in parts of at most `most`, channel by channel; then the clock
  /// moves.
  void write(std::size_t frames, std::size_t most) {
    for (std::size_t channel = 0; channel < samples_.size(); ++channel) {
      for (std::size_t first = 0; first < frames;) {
        const std::size_t count = std::min(most, frames - first);
        std::size_t expected_offset = 0;
        history.write(channel, history.clock() + static_cast<std::int64_t>(first), count,
                      [&](double* to, std::size_t offset, std::size_t some) {
                        EXPECT_EQ(offset, expected_offset);
                        expected_offset += some;
                        for (std::size_t n = 0; n < some; ++n) {
                          to[n] = name(channel, samples_[channel].size());
                          samples_[channel].push_back(to[n]);
                        }
                      });
        EXPECT_EQ(expected_offset, count);
        first += count;
      }
    }
    history.advance(frames);
  }

  void clear_past(std::size_t frames) {
    history.clear_past(frames);
    for (auto& channel : samples_) {
      std::fill(channel.end() - static_cast<std::ptrdiff_t>(frames), channel.end(), 0.0);
    }
  }

  /// `frames` frames that begin `back` before the clock, read in one stretch.
  void expect(std::size_t back, std::size_t frames) const {
    const std::int64_t clock = history.clock() - static_cast<std::int64_t>(back);
    for (std::size_t channel = 0; channel < samples_.size(); ++channel) {
      const double* const stretch = history.at(channel, clock);
      for (std::size_t n = 0; n < frames; ++n) {
        ASSERT_EQ(stretch[n], samples_[channel][samples_[channel].size() - back + n])
            << "channel " << channel << ", " << back - n << " frames back";
      }
    }
  }

  /// Of a channel whose clock has not moved yet: `ahead` frames, read as they are written, those
  /// behind them cleared; then the clock moves.
  void write_and_read(std::size_t ahead, std::size_t part, std::size_t cleared) {
    for (std::size_t channel = 0; channel < samples_.size(); ++channel) {
      for (std::size_t first = 0; first < ahead; first += part) {
        const std::size_t count = std::min(part, ahead - first);
        const std::int64_t clock = history.clock() + static_cast<std::int64_t>(first);
        history.write(channel, clock, count, [&](double* to, std::size_t, std::size_t some) {
          for (std::size_t n = 0; n < some; ++n) {
            to[n] = name(channel, samples_[channel].size());
            samples_[channel].push_back(to[n]);
          }
        });
        history.clear(channel, clock + static_cast<std::int64_t>(count), cleared);
        const double* const stretch = history.at(channel, clock);
        for (std::size_t n = 0; n < count + cleared; ++n) {
          const double expected =
              n < count ? samples_[channel][samples_[channel].size() - count + n] : 0.0;
          ASSERT_EQ(stretch[n], expected) << "channel " << channel << ", frame " << first + n;
        }
      }
    }
    history.advance(ahead);
  }

  std::size_t frames() const { return samples_[0].size(); }
  InputHistory<double> history;

 private:
  static double name(std::size_t channel, std::size_t frame) {
    return static_cast<double>(1'000'000 * (channel + 1) + frame);
  }

  std::vector<std::vector<double>> samples_;  // of each channel, since construction
};

TEST(InputHistory, HoldsTheLatestFramesInStretches) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    const std::size_t window = test::between(random, 1, 40);
    const std::size_t capacity = window + test::between(random, 0, 60);
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", capacity " << capacity << ", window " << window);
    Written written(test::between(random, 1, 3), capacity, window);
    for (int step = 0; step < 60; ++step) {
      // Pieces may be longer than the ring, as long as each part of them fits.
      written.write(test::between(random, 1, 3 * capacity), test::between(random, 1, capacity));
      const std::size_t held = std::min(written.frames(), capacity);
      if (test::between(random, 0, 5) == 0) {
        written.clear_past(test::between(random, 0, held));
      }
      const std::size_t back = test::between(random, 1, held);
      written.expect(back, test::between(random, 0, std::min(back, window)));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(InputHistory, IsWrittenReadAndClearedSeveralRingsAhead) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t window = test::between(random, 2, 40);
    const std::size_t part = test::between(random, 1, window - 1);
    Written written(test::between(random, 1, 3), window + test::between(random, 0, 60), window);
    for (int step = 0; step < 20; ++step) {
      written.write_and_read(test::between(random, 1, 6 * window), part, window - part);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(InputHistory, ReadsBackwardsFromAFrame) {
  Written written(2, 50, 30);
  written.write(173, 50);
  const InputHistory<double>& history = written.history;
  for (std::size_t back = 1; back <= 20; ++back) {
    const std::int64_t clock = history.clock() - static_cast<std::int64_t>(back);
    const double* const frame = history.at(1, clock, 10);
    for (std::size_t n = 0; n <= 10; ++n) EXPECT_EQ(*(frame - n), *history.at(1, clock) - n);
  }
}

}  // namespace
}  // namespace firbank
