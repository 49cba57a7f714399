// What becomes of a stream when the CPU in a lost device's place is too slow for it.
#include "engine/overload.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::HasSubstr;

TEST(LatenessTest, DropsFromWhenTheSlackIsGoneUntilNothingIsBehind) {
  Lateness lateness(1'000.0, 10);  // a frame is a millisecond
  lateness.add(5, 5e6);
  EXPECT_FALSE(lateness.drops());
  lateness.add(5, 14e6);  // 9 behind
  EXPECT_FALSE(lateness.drops());
  lateness.add(5, 7e6);  // 11
  EXPECT_TRUE(lateness.drops());
  lateness.add(5, 0);  // 6
  EXPECT_TRUE(lateness.drops());
  lateness.add(7, 0);
  EXPECT_FALSE(lateness.drops());
}

TEST(LatenessTest, IsNeverMoreBehindThanWhatCanWait) {
  Lateness lateness(1'000.0, 10);
  lateness.add(0, 1e12);
  EXPECT_TRUE(lateness.drops());
  lateness.add(9, 0);
  EXPECT_TRUE(lateness.drops());
  lateness.add(1, 0);
  EXPECT_FALSE(lateness.drops());
  lateness.add(0, 1e12);
  lateness.reset();
  EXPECT_FALSE(lateness.drops());
}

TEST(LatenessTest, SavesNoTimeForLater) {
  Lateness lateness(1'000.0, 10);
  lateness.add(1'000, 0);
  lateness.add(0, 10.5e6);
  EXPECT_TRUE(lateness.drops());
}

TEST(OverloadTest, CutsFiltersToWhatIsEstimatedToFitAndHardlyMore) {
  Random random(1);
  SCOPED_TRACE("seed 1");
  for (const std::size_t taps : {20'000, 3'000}) {
    const FilterBank bank = test::random_bank(random, std::vector<std::size_t>(16, taps));
    const Routing routing = Routing::matrix(4, 4, 16);
    EngineConfig config;
    config.block_frames = 64;
    config.max_taps = taps;
    const double ns = choose_plan(config, bank, routing).ns_per_frame;
    config.sample_rate_hz = 2e9 * kMostLoad / ns;  // twice too much
    const std::size_t fits = taps_in_time(config, bank, routing, {}, 1, kMostLoad);
    const auto load = [&](std::size_t count) {
      return load_of(config, bank.cut(0, count), routing, {}, 1);
    };
    EXPECT_LE(load(fits), kMostLoad);
    EXPECT_GT(load(fits + fits / 7 + 2), kMostLoad);
    EXPECT_LT(fits, taps);
    EXPECT_GT(fits, 16u);
    // Three threads would carry it.
    EXPECT_GE(taps_in_time(config, bank, routing, {}, 3, kMostLoad), taps - taps / 8 - 1);
  }
}

// Room for long filters is no work, and one long filter among short ones little.
TEST(OverloadTest, CountsTheFiltersThatAreThere) {
  Random random(2);
  SCOPED_TRACE("seed 2");
  std::vector<std::size_t> lengths(200, 50);
  lengths[7] = 50'000;
  const FilterBank bank = test::random_bank(random, lengths);
  const Routing routing = Routing::rows(200, 200);
  EngineConfig config;
  config.block_frames = 64;
  const double ns = choose_plan(config, bank, routing).ns_per_frame;
  config.sample_rate_hz = 0.5e9 / ns;
  config.max_taps = 50'000;
  EXPECT_NEAR(load_of(config, bank, routing, {}, 1), 0.5, 1e-9);
  EXPECT_GT(load_of(choose_plan(config, bank, routing), config.sample_rate_hz, 1), 1.0);
}

// A convolver misses calls under any plan, with banks that come and fade meanwhile: what it answers
// is what it would have answered.
TEST(OverloadTest, AnswersAsIfItHadNotSkipped) {
  const std::size_t seeds = test::full_sweep() ? 600 : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const std::size_t channels = between(random, 1, 3);
    const bool rows = between(random, 0, 1) == 0;
    const Routing routing =
        rows ? Routing::rows(channels, channels) : Routing::matrix(channels, 2, channels * 2);
    const std::size_t filters = rows ? channels : channels * 2;
    const auto bank = [&] {
      return test::random_bank(random,
                               std::vector<std::size_t>(filters, between(random, 1, 3'000)));
    };
    EngineConfig config;
    config.block_frames = between(random, 4, 80);
    config.max_taps = 3'000;
    config.max_frames = 300;
    config.threads = between(random, 1, 2);
    if (between(random, 0, 1) == 0) {
      config.partition_frames = test::random_partition_frames(random, 40);
    }
    const FilterBank first = bank();
    const std::shared_ptr<const Backend> backend = make_backend("auto");
    const PartitionPlan plan = choose_plan(config, first, routing, abilities_of(*backend));
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << plan.describe());
    Convolver<float> whole(backend, plan, config, first, routing);
    Convolver<float> late(backend, plan, config, first, routing);

    constexpr std::size_t kFrames = 9'000;
    test::Planes<float> in(test::random_signal(random, channels, kFrames));
    test::Planes<float> expected(routing.outputs(), kFrames);
    test::Planes<float> out(routing.outputs(), kFrames);
    std::uint64_t ticket = 0;
    std::int64_t skipped = 0;
    bool skips = false;
    for (std::size_t position = 0; position < kFrames;) {
      const std::size_t frames =
          std::min(kFrames - position,
                   between(random, 0, 1) == 0 ? config.block_frames : between(random, 1, 300));
      if (between(random, 0, 12) == 0 && late.stats().swaps + 4 > ticket) {
        const FilterBank next = bank();
        const SwapOrder order{
            .at_frame = static_cast<std::int64_t>(position + between(random, 0, 2'000)),
            .crossfade_frames = between(random, 0, 500),
            .ticket = ++ticket};
        for (Convolver<float>* const one : {&whole, &late}) {
          one->free_old_banks();
          one->swap(next, order);
        }
      }
      whole.process(in.from(position), expected.from(position), frames);
      if (between(random, 0, 9) == 0) skips = !skips;
      if (skips) {
        late.skip(in.from(position), out.from(position), frames);
        EXPECT_EQ(late.collect().status, ProcessStatus::kBackendFailed);
        // What would have been heard is not compared.
        for (std::size_t output = 0; output < routing.outputs(); ++output) {
          for (std::size_t n = position; n < position + frames; ++n) {
            ASSERT_EQ(out[output][n], 0.0f);
            expected[output][n] = 0;
          }
        }
        skipped += static_cast<std::int64_t>(frames);
      } else {
        late.process(in.from(position), out.from(position), frames);
      }
      position += frames;
    }
    EXPECT_TRUE(test::follows(out.signal(), expected.signal(), 1e-6));
    EXPECT_EQ(late.stats().lost_frames, skipped);
    EXPECT_EQ(late.stats().frames, static_cast<std::int64_t>(kFrames));
    EXPECT_EQ(late.stats().swaps, whole.stats().swaps);
    if (HasFailure()) return;
  }
}

// A bank that waits for its frame while calls are skipped, at every block before it.
TEST(OverloadTest, SkipsBesideABankThatWaits) {
  Random random(3);
  SCOPED_TRACE("seed 3");
  const FilterBank first = test::random_bank(random, {400});
  const FilterBank next = test::random_bank(random, {400});
  const Routing routing = Routing::rows(1, 1);
  EngineConfig config;
  config.block_frames = 8;
  config.max_frames = 8;
  config.partition_frames = {64};
  const std::shared_ptr<const Backend> backend = make_backend("auto");
  const PartitionPlan plan = choose_plan(config, first, routing, abilities_of(*backend));
  constexpr std::size_t kFrames = 1'200;
  constexpr std::size_t kLive = 704;
  const Signal signal = test::random_signal(random, 1, kFrames);
  Signal expected = direct_convolution(signal, first, routing, kFrames);
  const Signal then = direct_convolution(signal, next, routing, kFrames);
  std::copy(then[0].begin() + kLive, then[0].begin() + kFrames, expected[0].begin() + kLive);
  test::Planes<float> in(signal);
  for (std::size_t from = 480; from < kLive; from += 8) {
    for (const std::size_t length : {8, 40, 64}) {
      SCOPED_TRACE(testing::Message() << "skipped " << from << " and " << length << " frames more");
      Convolver<float> late(backend, plan, config, first, routing);
      late.swap(next, {.at_frame = kLive, .ticket = 1});
      test::Planes<float> out(1, kFrames);
      Signal heard = {std::vector<double>(expected[0].begin(), expected[0].begin() + kFrames)};
      for (std::size_t n = 0; n < kFrames; n += 8) {
        if (n >= from && n < from + length) {
          late.skip(in.from(n), out.from(n), 8);
          late.collect();
          std::fill_n(heard[0].begin() + static_cast<std::ptrdiff_t>(n), 8, 0.0);
        } else {
          late.process(in.from(n), out.from(n), 8);
        }
      }
      ASSERT_TRUE(test::follows(out.signal(), heard, 1e-6));
    }
  }
}

// What was skipped last has a tail like any other input.
TEST(OverloadTest, FlushesAfterASkip) {
  const FilterBank bank({{0.0, 0.0, 1.0}});
  const std::shared_ptr<const Backend> backend = make_backend("auto");
  EngineConfig config;
  config.block_frames = 16;
  const Routing routing = Routing::rows(1, 1);
  Convolver<float> late(backend, choose_plan(config, bank, routing), config, bank, routing);
  const std::vector<float> samples(16, 1.0f);
  std::vector<float> answers(16);
  const float* const in[] = {samples.data()};
  float* const out[] = {answers.data()};
  late.skip(in, out, 16);
  late.collect();
  EXPECT_EQ(late.flush(out, 16), 2u);
  EXPECT_FLOAT_EQ(answers[0], 1.0f);
  EXPECT_FLOAT_EQ(answers[1], 1.0f);
}

class OverloadOnDeviceTest : public test::DeviceFixture {
 protected:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::size_t kFrames = 60 * kBlock;

  /// A stream of a rate that is `load` times what the CPU carries with whole filters.
  explicit OverloadOnDeviceTest() : random_(5) {
    config_.block_frames = kBlock;
    config_.backend = "cuda";
    const double ns = choose_plan(config_, bank_, routing_).ns_per_frame;
    config_.sample_rate_hz = 3e9 * kMostLoad / ns;
  }

  Random random_;
  FilterBank bank_ = test::random_bank(random_, std::vector<std::size_t>(4, 2'000));
  Routing routing_ = Routing::matrix(2, 2, 4);
  Signal in_ = test::random_signal(random_, 2, kFrames);
  EngineConfig config_;
};

TEST_F(OverloadOnDeviceTest, GoesOnWithFiltersThatAreCut) {
  SCOPED_TRACE("seed 5");
  config_.on_overload = Overload::kTruncate;
  configure("fail_work=20");
  Engine engine(config_, bank_, routing_);
  const auto calls = test::equal_calls(kFrames / 2, kBlock);
  Signal out = test::run_process(engine, test::cut(in_, 0, kFrames / 2), calls);
  // A later bank is cut as well.
  const FilterBank next = test::random_bank(random_, std::vector<std::size_t>(4, 2'000));
  engine.swap(next, kFrames / 2 + 100);
  out =
      test::joined(out, test::run_process(engine, test::cut(in_, kFrames / 2, kFrames / 2), calls));
  const Stats stats = engine.stats();
  ASSERT_NE(stats.fail_over_frame, Stats::kNone);
  const auto lost = static_cast<std::size_t>(stats.fail_over_frame);
  const std::size_t taps = stats.truncated_taps;
  ASSERT_GT(taps, 10u);
  ASSERT_LT(taps, 1'900u);
  EXPECT_EQ(stats.truncated_frames, static_cast<std::int64_t>(kFrames - lost));
  EXPECT_EQ(stats.lost_frames, 0);
  Signal expected = direct_convolution(in_, bank_, routing_, kFrames);
  const Signal cut = direct_convolution(in_, bank_.cut(0, taps), routing_, kFrames);
  const Signal then = direct_convolution(in_, next.cut(0, taps), routing_, kFrames);
  for (std::size_t output = 0; output < expected.size(); ++output) {
    const auto at = [](std::size_t frame) { return static_cast<std::ptrdiff_t>(frame); };
    const std::size_t live = kFrames / 2 + 100;
    std::copy(cut[output].begin() + at(lost), cut[output].begin() + at(live),
              expected[output].begin() + at(lost));
    std::copy(then[output].begin() + at(live), then[output].end(),
              expected[output].begin() + at(live));
  }
  EXPECT_TRUE(test::follows(out, expected, 1e-6));
  // A bank that the engine was not made for is refused as before.
  EXPECT_ANY_THROW(engine.swap(test::random_bank(random_, {2'001, 1, 1, 1}), kFrames));
  configure("");
}

TEST_F(OverloadOnDeviceTest, CutsNothingThatTheCpuCarriesOrNoClockWaitsFor) {
  SCOPED_TRACE("seed 5");
  const Signal expected = direct_convolution(in_, bank_, routing_, kFrames);
  for (const bool offline : {false, true}) {
    config_.on_overload = Overload::kTruncate;
    config_.goal = offline ? PlanGoal::kOffline : PlanGoal::kLive;
    if (!offline) config_.sample_rate_hz = 100;
    configure("fail_work=5");
    {
      Engine engine(config_, bank_, routing_);
      const auto calls = test::equal_calls(kFrames, kBlock);
      EXPECT_TRUE(test::follows(test::run_process(engine, in_, calls), expected, 1e-6));
      EXPECT_NE(engine.stats().fail_over_frame, Stats::kNone);
      EXPECT_EQ(engine.stats().truncated_frames, 0);
      EXPECT_EQ(engine.stats().truncated_taps, 0u);
    }
    configure("");
    config_.sample_rate_hz = 1e12;
  }
}

// A limit was of the device, and not of the CPU in its place.
TEST_F(OverloadOnDeviceTest, GoesOnBeyondTheDevicesMemoryLimit) {
  config_.sample_rate_hz = 48'000;
  config_.memory_limit_bytes = 1;
  try {
    const Engine engine(config_, bank_, routing_);
    FAIL() << "a byte is enough";
  } catch (const Error& error) {
    const std::string line = error.what();
    config_.memory_limit_bytes = std::stoull(line.substr(line.rfind(' ') + 1));
  }
  configure("fail_work=5");
  {
    Engine engine(config_, bank_, routing_);
    EXPECT_TRUE(test::follows(test::run_process(engine, in_, test::equal_calls(kFrames, kBlock)),
                              direct_convolution(in_, bank_, routing_, kFrames), 1e-6));
    EXPECT_NE(engine.stats().fail_over_frame, Stats::kNone);
  }
  configure("");
}

TEST_F(OverloadOnDeviceTest, GivesUpAndSaysWhy) {
  config_.on_overload = Overload::kFail;
  configure("fail_work=20");
  {
    Engine engine(config_, bank_, routing_);
    test::Planes<float> in(in_);
    test::Planes<float> out(2, kFrames);
    std::int64_t lost = 0;
    for (std::size_t position = 0; position < kFrames; position += kBlock) {
      const bool failed = engine.process(in.from(position), out.from(position), kBlock) ==
                          ProcessStatus::kBackendFailed;
      lost += failed ? static_cast<std::int64_t>(kBlock) : 0;
    }
    EXPECT_GT(lost, 0);
    EXPECT_EQ(engine.stats().lost_frames, lost);
    EXPECT_EQ(engine.stats().fail_over_frame, Stats::kNone);
    EXPECT_THAT(engine.failure(), HasSubstr("the CPU cannot go on: it is estimated to need"));
  }
  configure("");
}

// At a rate that nothing can keep up with, all that can be left out is.
TEST_F(OverloadOnDeviceTest, DropsBlocksWhileItIsBehind) {
  config_.on_overload = Overload::kDrop;
  config_.sample_rate_hz = 1e12;
  configure("fail_work=20");
  {
    Engine engine(config_, bank_, routing_);
    test::Planes<float> in(in_);
    test::Planes<float> out(2, kFrames);
    for (std::size_t position = 0; position < kFrames; position += kBlock) {
      engine.process(in.from(position), out.from(position), kBlock);
    }
    const Stats stats = engine.stats();
    ASSERT_NE(stats.fail_over_frame, Stats::kNone);
    const std::int64_t open = static_cast<std::int64_t>(kFrames) - stats.fail_over_frame;
    EXPECT_GE(stats.lost_frames, open - 2 * static_cast<std::int64_t>(kBlock));
    EXPECT_LE(stats.lost_frames, open);
    EXPECT_EQ(stats.frames, static_cast<std::int64_t>(kFrames));
    EXPECT_THAT(engine.failure(), HasSubstr("too slow for every block"));
    const Signal expected = direct_convolution(in_, bank_, routing_, kFrames);
    const auto answered = static_cast<std::size_t>(stats.first_lost_frame);
    EXPECT_TRUE(test::follows(out.signal(answered), test::cut(expected, 0, answered), 1e-6));
  }
  configure("");
}

}  // namespace
}  // namespace firbank
