// Rows, which may go through many blocks at a time: the outputs are the same wherever the caller's
// planes lie, whatever is swapped meanwhile, and whatever the samples are.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Random;

enum class Layout { kApart, kAlternating, kInPlace, kCrossed };

/// Where the planes of rows lie in one stretch of memory.
template <class Sample>
class Arena {
 public:
  Arena(Layout layout, const Signal& in)
      : layout_(layout),
        rows_(in.size()),
        frames_(in[0].size()),
        samples_(2 * rows_ * frames_),
        in_(rows_),
        out_(rows_) {
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t n = 0; n < frames_; ++n) {
        samples_[in_plane(row) * frames_ + n] = static_cast<Sample>(in[row][n]);
      }
    }
  }

  ProcessStatus process(BasicEngine<Sample>& engine, std::size_t first, std::size_t frames) {
    for (std::size_t row = 0; row < rows_; ++row) {
      in_[row] = samples_.data() + in_plane(row) * frames_ + first;
      out_[row] = samples_.data() + out_plane(row) * frames_ + first;
    }
    return engine.process(in_.data(), out_.data(), frames);
  }

  Signal out() const {
    Signal signal(rows_, std::vector<double>(frames_));
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t n = 0; n < frames_; ++n) {
        signal[row][n] = static_cast<double>(samples_[out_plane(row) * frames_ + n]);
      }
    }
    return signal;
  }

 private:
  std::size_t in_plane(std::size_t row) const {
    return layout_ == Layout::kAlternating ? 2 * row : row;
  }
  std::size_t out_plane(std::size_t row) const {
    switch (layout_) {
      case Layout::kApart:
        return rows_ + row;
      case Layout::kAlternating:
        return 2 * row + 1;
      case Layout::kInPlace:
        return row;
      case Layout::kCrossed:
        break;
    }
    return (row + 1) % rows_;  // over the input of another row
  }

  Layout layout_;
  std::size_t rows_;
  std::size_t frames_;
  std::vector<Sample> samples_;  // [plane][frame]
  std::vector<const Sample*> in_;
  std::vector<Sample*> out_;
};

/// Plans whose calls have many blocks: one long partition or direct form, several partitions, or
/// blocks that divide no call.
void choose_sizes(EngineConfig& config, Random& random) {
  config.goal = PlanGoal::kOffline;
  const std::size_t kind = test::between(random, 0, 2);
  if (kind == 1) config.partition_frames = {std::size_t{1} << test::between(random, 4, 9)};
  if (kind == 2) config.partition_frames = {test::between(random, 10, 700)};
}

template <class Sample>
class EngineRowsCalls : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EngineRowsCalls, SampleTypes);

/// Calls of a whole signal: whole ones, and any others.
template <class Sample>
void run(BasicEngine<Sample>& engine, Arena<Sample>& arena, Random& random, std::size_t frames) {
  const std::size_t most = std::min(engine.max_frames(), frames);
  for (std::size_t position = 0; position < frames;) {
    const std::size_t any =
        test::between(random, 0, 1) == 0 ? most : test::between(random, 1, most);
    const std::size_t call = std::min(any, frames - position);
    ASSERT_EQ(arena.process(engine, position, call), ProcessStatus::kOk);
    position += call;
  }
}

TYPED_TEST(EngineRowsCalls, FollowDirectConvolutionInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 600 : 90;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    choose_sizes(config, random);
    config.max_taps = test::between(random, 1, 400);
    config.threads = test::between(random, 1, 3);
    test::use_backend(config, backends[seed % backends.size()]);
    // Now and then so many that two blocks are summed at once.
    const std::size_t rows = test::between(random, 0, 5) == 0 ? 36 : test::between(random, 1, 9);
    const auto any_bank = [&] {
      std::vector<std::size_t> lengths(rows);
      for (auto& length : lengths) length = test::between(random, 1, config.max_taps);
      return test::random_bank(random, lengths);
    };
    const Routing routing = Routing::rows(rows, rows);
    FilterBank bank = any_bank();
    BasicEngine<TypeParam> engine(config, bank, routing);

    // The second stream comes after a reset, with the filters that the first one left.
    for (int stream = 0; stream < 2; ++stream) {
      const auto layout = static_cast<Layout>(test::between(random, 0, 3));
      SCOPED_TRACE(testing::Message()
                   << "seed " << seed << ", stream " << stream << ", backend " << config.backend
                   << ", " << config.threads << " threads, " << rows << " rows, layout "
                   << static_cast<int>(layout) << ", " << engine.plan().describe());
      const std::size_t frames = test::between(random, 1, rows > 9 ? 9'000 : 15'000);
      Signal in = test::random_signal(random, rows, frames);
      if (test::between(random, 0, 3) == 0) {
        constexpr double kBad[] = {std::numeric_limits<double>::quiet_NaN(),
                                   std::numeric_limits<double>::infinity()};
        in[test::between(random, 0, rows - 1)][test::between(random, 0, frames - 1)] =
            kBad[test::between(random, 0, 1)];
      }
      FilterBank next = bank;
      std::size_t at = 0;
      std::size_t fade = 0;
      if (test::between(random, 0, 2) != 0) {
        at = test::between(random, 0, frames - 1);
        // It is over before the stream is.
        fade = test::between(random, 0, std::min<std::size_t>(frames - at - 1, 4'000));
        if (test::between(random, 0, 2) == 0) fade = 0;
        next = any_bank();
        engine.swap(next, engine.position() + static_cast<std::int64_t>(at), fade);
      }
      Arena<TypeParam> arena(layout, in);
      run(engine, arena, random, frames);
      const Signal out = test::joined(arena.out(), test::run_flush(engine, engine.max_frames()));
      const std::size_t length = frames + engine.tail_frames();
      const Signal oracle = test::with_changes(
          direct_convolution(in, bank, routing, length),
          {{direct_convolution(in, next, routing, length), static_cast<std::int64_t>(at), fade}});
      EXPECT_TRUE(test::follows(out, oracle, test::kErrorLimit<TypeParam>));
      engine.reset();
      bank = next;
    }
  }
}

// Loud samples may leave the range of the type inside a transform; what they spoil is counted.
TEST(EngineRows, CountsWhatLoudSamplesSpoil) {
  EngineConfig config;
  config.goal = PlanGoal::kOffline;
  config.partition_frames = {64};
  config.threads = 2;
  Random random(3);
  const std::size_t rows = 12, frames = 8'192;
  const FilterBank bank = test::random_bank(random, {100});
  Engine engine(config, bank, Routing::rows(rows, 1));
  Signal in = test::random_signal(random, rows, frames);
  for (std::size_t n = 1'000; n < 1'100; ++n) in[7][n] = 3e38 * (n % 2 == 0 ? 1 : -1);
  Arena<float> arena(Layout::kApart, in);
  ASSERT_EQ(arena.process(engine, 0, frames), ProcessStatus::kOk);
  const Signal out = arena.out();
  std::int64_t spoiled = 0;
  for (const double sample : out[7]) {
    EXPECT_FALSE(std::isinf(sample));
    spoiled += std::isnan(sample) ? 1 : 0;
  }
  EXPECT_GT(spoiled, 0);
  EXPECT_EQ(engine.stats().spoiled_frames, spoiled);
  in[7].assign(frames, 0.0);
  Signal expected = direct_convolution(in, bank, Routing::rows(rows, 1), frames);
  for (std::size_t row = 0; row < rows; ++row) {
    if (row == 7) continue;
    EXPECT_TRUE(test::follows({out[row]}, {expected[row]}, test::kErrorLimit<float>)) << row;
  }
}

}  // namespace
}  // namespace firbank
