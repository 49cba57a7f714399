// Rows, which may go through many blocks at a time: the outputs are the same wherever the caller's
// planes lie, whatever is swapped meanwhile, and whatever the samples are.
#include <algorithm>
#include <limits>
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
void choose_sizes(EngineConfig& config, Random& random, std::uint64_t seed) {
  config.goal = PlanGoal::kOffline;
  if (seed % 3 == 1) config.partition_frames = {std::size_t{1} << test::between(random, 4, 9)};
  if (seed % 3 == 2) config.partition_frames = {test::between(random, 10, 700)};
}

template <class Sample>
class EngineRows : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EngineRows, SampleTypes);

TYPED_TEST(EngineRows, FollowDirectConvolutionInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 400 : 48;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    choose_sizes(config, random, seed);
    config.max_taps = test::between(random, 1, 400);
    config.threads = 1 + seed % 2;
    config.backend = backends[seed / 4 % backends.size()];
    const auto layout = static_cast<Layout>(seed % 4);
    // Now and then so many that two blocks are summed at once.
    const std::size_t rows = seed % 6 == 1 ? 36 : test::between(random, 1, 9);
    const auto any_bank = [&] {
      std::vector<std::size_t> lengths(rows);
      for (auto& length : lengths) length = test::between(random, 1, config.max_taps);
      return test::random_bank(random, lengths);
    };
    const Routing routing = Routing::rows(rows, rows);
    const FilterBank bank = any_bank();
    BasicEngine<TypeParam> engine(config, bank, routing);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", backend " << config.backend << ", "
                                    << rows << " rows, " << engine.plan().describe());

    const std::size_t frames = test::between(random, 1, rows > 9 ? 10'000 : 20'000);
    Signal in = test::random_signal(random, rows, frames);
    if (seed % 5 == 0) {
      in[test::between(random, 0, rows - 1)][test::between(random, 0, frames - 1)] =
          std::numeric_limits<double>::quiet_NaN();
    }
    std::vector<test::Change> changes;
    if (seed % 3 != 0) {
      const FilterBank next = any_bank();
      const auto at_frame = static_cast<std::int64_t>(test::between(random, 0, frames - 1));
      const std::size_t fade =
          test::between(random, 0, 2) == 0 ? 0 : test::between(random, 1, 4'000);
      engine.swap(next, at_frame, fade);
      changes.push_back({direct_convolution(in, next, routing, frames), at_frame, fade});
    }
    Arena<TypeParam> arena(layout, in);
    std::size_t position = 0;
    const std::size_t most = std::min(engine.max_frames(), frames);
    while (position < frames) {
      // Whole calls and any others.
      const std::size_t call =
          std::min(test::between(random, 0, 1) == 0 ? most : test::between(random, 1, most),
                   frames - position);
      ASSERT_EQ(arena.process(engine, position, call), ProcessStatus::kOk);
      position += call;
    }
    const Signal oracle =
        test::with_changes(direct_convolution(in, bank, routing, frames), changes);
    EXPECT_TRUE(test::follows(arena.out(), oracle, test::kErrorLimit<TypeParam>));
  }
}

}  // namespace
}  // namespace firbank
