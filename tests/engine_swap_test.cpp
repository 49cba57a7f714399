// Changing the filters of a running engine: the output equals a mix of two direct convolutions,
// each of which has always heard the input.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Random;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kNow = 0;  // has passed, so: with the next call

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

template <class Sample>
class EngineSwap : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EngineSwap, SampleTypes);

struct Asked {
  std::uint64_t ticket = 0;
  std::int64_t not_before = 0;
  std::size_t crossfade_frames = 0;
  FilterBank bank;
};

TYPED_TEST(EngineSwap, FollowsTheMixOfDirectConvolutionsInRandomCases) {
  const std::vector<std::string> backends = test::available_backends();
  const std::uint64_t seeds = test::full_sweep() ? 400 : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 300);
    config.max_frames = config.block_frames + test::between(random, 0, 300);
    config.max_taps = test::between(random, 1, 1'800);
    config.threads = 1 + seed % 2;
    test::use_backend(config, backends[seed % backends.size()]);
    if (seed % 3 != 0) {
      config.partition_frames = test::random_partition_frames(random, 64);
    } else if (seed % 2 == 0) {
      test::want_direct_form(config);
      config.max_taps = std::min<std::size_t>(config.max_taps, 1'000);
    }
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", backend " << config.backend << ", block "
                 << config.block_frames << ", max_taps " << config.max_taps);
    const auto any_bank = [&] {
      std::vector<std::size_t> lengths(3);
      for (auto& length : lengths) {
        length = test::between(random, 0, 2) == 0 ? config.max_taps
                                                  : test::between(random, 1, config.max_taps);
      }
      return test::random_bank(random, lengths);
    };
    const Routing routing = test::random_routing(random, 2, 3, 3, 6, 100);
    const FilterBank first = any_bank();
    BasicEngine<TypeParam> engine(config, first, routing);

    const std::size_t frames = test::between(random, 4'000, 12'000);
    const Signal in = test::random_signal(random, 2, frames);
    test::Planes<TypeParam> input(in);
    test::Planes<TypeParam> output(3, frames);
    std::vector<Asked> asked;
    std::size_t position = 0;
    std::size_t until_swap = test::between(random, 0, 1'000);
    for (const std::size_t call :
         test::random_calls(random, frames, config.block_frames, config.max_frames)) {
      if (position >= until_swap) {
        // Now and then several at once, which then wait for one another.
        for (std::size_t i = test::between(random, 0, 5) == 0 ? 3 : 1; i > 0; --i) {
          const auto now = static_cast<std::int64_t>(position);
          const auto ahead = static_cast<std::int64_t>(test::between(random, 0, 1'200));
          const std::int64_t at_frame = test::between(random, 0, 3) == 0 ? kNow : now + ahead;
          const std::size_t fades[] = {0, 1, test::between(random, 2, 300),
                                       test::between(random, 300, 3'000)};
          const std::size_t fade = fades[test::between(random, 0, 3)];
          const FilterBank next = any_bank();
          std::uint64_t ticket = 0;
          try {
            ticket = engine.swap(next, at_frame, fade);
          } catch (const Error&) {
            continue;  // too many are pending; tested below
          }
          EXPECT_FALSE(engine.live_frame(ticket).has_value());
          asked.push_back({ticket, std::max(at_frame, now), fade, next});
        }
        until_swap = position + test::between(random, 1, 4'000);
      }
      ASSERT_EQ(engine.process(input.from(position), output.from(position), call),
                ProcessStatus::kOk);
      position += call;
    }

    std::vector<test::Change> changes;
    std::int64_t free_from = 0;
    for (const Asked& swap : asked) {
      const std::int64_t due = std::max(swap.not_before, free_from);
      const auto live = engine.live_frame(swap.ticket);
      if (!live) {
        EXPECT_GE(due, static_cast<std::int64_t>(frames)) << "the swap was forgotten";
        break;
      }
      EXPECT_EQ(*live, due);
      free_from = *live + static_cast<std::int64_t>(swap.crossfade_frames);
      changes.push_back(
          {direct_convolution(in, swap.bank, routing, frames), *live, swap.crossfade_frames});
    }
    EXPECT_EQ(engine.stats().swaps, changes.size());
    const Signal oracle =
        test::with_changes(direct_convolution(in, first, routing, frames), changes);
    EXPECT_TRUE(test::follows(output.signal(), oracle, test::kErrorLimit<TypeParam>));
  }
}

TYPED_TEST(EngineSwap, MayComeBeforeTheFirstFrame) {
  Random random(1);
  const FilterBank first = test::random_bank(random, {300});
  const FilterBank second = test::random_bank(random, {200});
  EngineConfig config;
  config.block_frames = 64;
  BasicEngine<TypeParam> engine(config, first, Routing::rows(1, 1));
  const std::uint64_t ticket = engine.swap(second, 0);
  const Signal in = test::random_signal(random, 1, 1'000);
  const Signal out = test::run_process(engine, in, test::equal_calls(1'000, 64));
  EXPECT_EQ(engine.live_frame(ticket), 0);
  EXPECT_TRUE(test::follows(out, direct_convolution(in, second, Routing::rows(1, 1), 1'000),
                            test::kErrorLimit<TypeParam>));
}

// From one tap to the longest that was declared: the history before the swap is heard.
TYPED_TEST(EngineSwap, BringsLongerFiltersThatHaveHeardThePast) {
  for (const std::string& backend : test::available_backends()) {
    SCOPED_TRACE(testing::Message() << "seed 2, backend " << backend);
    Random random(2);
    const FilterBank first = test::random_bank(random, {1});
    const FilterBank second = test::random_bank(random, {6'000});
    EngineConfig config;
    config.block_frames = 128;
    config.max_taps = 6'000;
    test::use_backend(config, backend);
    BasicEngine<TypeParam> engine(config, first, Routing::rows(1, 1));
    const Signal in = test::random_signal(random, 1, 14'000);
    const std::uint64_t ticket = engine.swap(second, 7'777, 10);
    const Signal out = test::run_process(engine, in, test::equal_calls(14'000, 128));
    EXPECT_EQ(engine.live_frame(ticket), 7'777);
    EXPECT_EQ(engine.tail_frames(), 5'999u);
    const Routing rows = Routing::rows(1, 1);
    EXPECT_TRUE(test::follows(
        test::joined(out, test::run_flush(engine, 100)),
        test::with_changes(direct_convolution(in, first, rows, 14'000 + 5'999),
                           {{direct_convolution(in, second, rows, 14'000 + 5'999), 7'777, 10}}),
        test::kErrorLimit<TypeParam>));
  }
}

// What is due by its name, and not by when it was asked for.
TYPED_TEST(EngineSwap, GoesLiveAtTheStartOfAStreamThatBeginsLater) {
  Random random(9);
  const FilterBank first = test::random_bank(random, {50});
  const FilterBank second = test::random_bank(random, {50});
  const Routing rows = Routing::rows(1, 1);
  for (const std::string& backend : test::available_backends()) {
    for (const bool fail_over : {false, true}) {
      SCOPED_TRACE(testing::Message() << "seed 9, backend " << backend << ", " << fail_over);
      EngineConfig config;
      config.block_frames = 64;
      test::use_backend(config, backend);
      config.fail_over = fail_over;
      BasicEngine<TypeParam> engine(config, first, rows);
      const Signal in = test::random_signal(random, 1, 640);
      test::run_process(engine, in, test::equal_calls(640, 64));
      const std::uint64_t ticket = engine.swap(second, 100);
      test::Pulled pulled;
      engine.start();
      test::push_all(engine, in, test::equal_calls(640, 64), 0, 64, pulled);
      test::pull_to_end(engine, 64, pulled);
      engine.stop();
      EXPECT_EQ(engine.live_frame(ticket), 100);
      EXPECT_TRUE(
          test::follows(test::cut(pulled.out, 0, 640),
                        test::with_changes(direct_convolution(in, first, rows, 640),
                                           {{direct_convolution(in, second, rows, 640), 100, 0}}),
                        test::kErrorLimit<TypeParam>));
    }
  }
}

TYPED_TEST(EngineSwap, GoesOnFadingThroughTheTail) {
  Random random(3);
  const FilterBank first = test::random_bank(random, {900});
  const FilterBank second = test::random_bank(random, {1'000});
  const Routing rows = Routing::rows(1, 1);
  EngineConfig config;
  config.block_frames = 64;
  config.max_taps = 1'000;
  BasicEngine<TypeParam> engine(config, first, rows);
  const Signal in = test::random_signal(random, 1, 1'000);
  engine.swap(second, 900, 700);
  const Signal body = test::run_process(engine, in, test::equal_calls(1'000, 64));
  const Signal out = test::joined(body, test::run_flush(engine, 33));
  ASSERT_GE(out[0].size(), 1'999u);
  EXPECT_TRUE(test::follows(
      out,
      test::with_changes(direct_convolution(in, first, rows, out[0].size()),
                         {{direct_convolution(in, second, rows, out[0].size()), 900, 700}}),
      test::kErrorLimit<TypeParam>));
}

TYPED_TEST(EngineSwap, RefusesWhatDoesNotFit) {
  const FilterBank first({{1}, {2, 3}});
  EngineConfig config;
  config.block_frames = 16;
  BasicEngine<TypeParam> engine(config, first, Routing::rows(2, 2));
  EXPECT_THAT(
      refusal([&] {
        engine.swap(FilterBank({{1}, {1, 2, 3}}), kNow);
      }),
      AllOf(HasSubstr("filter 1"), HasSubstr("3 taps"), HasSubstr("max_taps"), HasSubstr("2")));
  EXPECT_THAT(
      refusal([&] { engine.swap(FilterBank(std::vector<std::vector<double>>{{1}}), kNow); }),
      AllOf(HasSubstr("1"), HasSubstr("filter")));
  for (std::size_t i = 0; i < BasicEngine<TypeParam>::kMaxPendingSwaps; ++i) {
    engine.swap(first, 1'000'000);
  }
  EXPECT_THAT(refusal([&] { engine.swap(first, 1'000'000); }),
              AllOf(HasSubstr("4"), HasSubstr("pending")));
  // What was refused leaves no trace.
  test::Planes<TypeParam> planes(2, 16);
  planes[1][0] = 1;
  ASSERT_EQ(engine.process(planes.from(0), planes.from(0), 16), ProcessStatus::kOk);
  EXPECT_NEAR(planes[1][0], 2, 1e-5);
  EXPECT_NEAR(planes[1][1], 3, 1e-5);
  EXPECT_EQ(engine.stats().swaps, 0u);
}

TYPED_TEST(EngineSwap, KnowsAnyFrameThereIs) {
  using Limits = std::numeric_limits<std::int64_t>;
  Random random(6);
  const FilterBank first = test::random_bank(random, {20});
  EngineConfig config;
  config.block_frames = 32;
  BasicEngine<TypeParam> engine(config, first, Routing::rows(1, 1));
  test::Planes<TypeParam> planes(1, 32);
  ASSERT_EQ(engine.process(planes.from(0), planes.from(0), 32), ProcessStatus::kOk);
  const std::uint64_t long_ago = engine.swap(first, Limits::min());
  const std::uint64_t never = engine.swap(first, Limits::max());
  ASSERT_EQ(engine.process(planes.from(0), planes.from(0), 32), ProcessStatus::kOk);
  EXPECT_EQ(engine.live_frame(long_ago), 32);
  EXPECT_EQ(engine.live_frame(never), std::nullopt);
  EXPECT_EQ(engine.live_frame(never + 1), std::nullopt) << "a ticket that nobody has";
}

TYPED_TEST(EngineSwap, MayGoOnForLongWithoutRunningOutOfAnything) {
  Random random(4);
  const FilterBank first = test::random_bank(random, {200});
  EngineConfig config;
  config.block_frames = 32;
  BasicEngine<TypeParam> engine(config, first, Routing::rows(1, 1));
  test::Planes<TypeParam> planes(1, 32);
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t ticket = engine.swap(first, kNow, 20);
    const std::int64_t position = engine.position();
    ASSERT_EQ(engine.process(planes.from(0), planes.from(0), 32), ProcessStatus::kOk);
    EXPECT_EQ(engine.live_frame(ticket), position);
  }
  EXPECT_EQ(engine.stats().swaps, 300u);
}

TYPED_TEST(EngineSwap, ComesFromAnotherThreadWhileThisOneProcesses) {
  Random random(5);
  constexpr std::size_t kFrames = 400'000;
  constexpr std::size_t kBlock = 64;
  const Routing routing = Routing::rows(1, 1);
  const FilterBank first = test::random_bank(random, {150});
  const Signal in = test::random_signal(random, 1, kFrames);
  EngineConfig config;
  config.block_frames = kBlock;
  BasicEngine<TypeParam> engine(config, first, routing);
  test::Planes<TypeParam> input(in);
  test::Planes<TypeParam> output(1, kFrames);

  std::atomic<bool> all_live{false};
  std::size_t position = 0;
  std::thread audio([&] {
    while (!all_live && position + kBlock <= kFrames) {
      engine.process(input.from(position), output.from(position), kBlock);
      position += kBlock;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  });
  struct Swapped {
    std::uint64_t ticket;
    std::size_t fade;
    FilterBank bank;
  };
  std::vector<Swapped> swaps;
  for (std::size_t i = 0; i < 12; ++i) {
    const std::size_t fade = i * 30;
    FilterBank bank = test::random_bank(random, {test::between(random, 1, 150)});
    const std::uint64_t ticket = engine.swap(bank, kNow, fade);
    swaps.push_back({ticket, fade, std::move(bank)});
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!engine.live_frame(ticket) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  all_live = true;
  audio.join();

  const Signal heard = test::cut(in, 0, position);
  std::vector<test::Change> changes;
  for (const Swapped& swap : swaps) {
    const auto live = engine.live_frame(swap.ticket);
    ASSERT_TRUE(live.has_value());
    changes.push_back({direct_convolution(heard, swap.bank, routing, position), *live, swap.fade});
  }
  EXPECT_TRUE(test::follows(
      output.signal(position),
      test::with_changes(direct_convolution(heard, first, routing, position), changes),
      test::kErrorLimit<TypeParam>));
}

// As long as the long filter is heard at all, its tail counts.
TYPED_TEST(EngineSwap, KeepsTheLongerTailWhileItFadesToAShorterFilter) {
  const Routing rows = Routing::rows(1, 1);
  for (const std::size_t fade : {std::size_t{400}, std::size_t{3'000}}) {
    SCOPED_TRACE(testing::Message() << "seed 6, fade " << fade);
    Random random(6);
    const FilterBank first = test::random_bank(random, {1'000});
    const FilterBank second = test::random_bank(random, {10});
    EngineConfig config;
    config.block_frames = 64;
    BasicEngine<TypeParam> engine(config, first, rows);
    const Signal in = test::random_signal(random, 1, 640);
    engine.swap(second, 600, fade);
    const Signal body = test::run_process(engine, in, test::equal_calls(640, 64));
    EXPECT_EQ(engine.tail_frames(), 999u);
    const Signal tail = test::run_flush(engine, 64);
    // Once the fade is over, the long filter is heard no more.
    const std::size_t heard = std::min<std::size_t>(999, 600 + fade - 640);
    EXPECT_GE(tail[0].size(), heard);
    EXPECT_LE(tail[0].size(), 999u);
    EXPECT_TRUE(test::follows(
        test::cut(test::joined(body, tail), 0, 640 + 999),
        test::with_changes(direct_convolution(in, first, rows, 640 + 999),
                           {{direct_convolution(in, second, rows, 640 + 999), 600, fade}}),
        test::kErrorLimit<TypeParam>));
  }
}

TYPED_TEST(EngineSwap, KnowsNoFrameOfTicketsThatWereNeverGivenOrAreTooOld) {
  EngineConfig config;
  config.block_frames = 16;
  const FilterBank bank({{1.0, 0.5}});
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
  test::Planes<TypeParam> planes(1, 16);
  EXPECT_EQ(engine.live_frame(0), std::nullopt);
  EXPECT_EQ(engine.live_frame(1), std::nullopt);
  std::vector<std::uint64_t> tickets;
  for (std::size_t i = 0; i < 300; ++i) {
    tickets.push_back(engine.swap(bank, kNow));
    engine.process(planes.from(0), planes.from(0), 16);
  }
  for (std::size_t i = 0; i < 300; ++i) {
    const auto expected = i < 300 - 256
                              ? std::nullopt
                              : std::optional<std::int64_t>(static_cast<std::int64_t>(16 * i));
    EXPECT_EQ(engine.live_frame(tickets[i]), expected) << "swap " << i;
  }
  EXPECT_EQ(engine.live_frame(0), std::nullopt);
  EXPECT_EQ(engine.live_frame(tickets.back() + 1), std::nullopt);
  EXPECT_EQ(engine.live_frame(tickets.back() + 256), std::nullopt);
  EXPECT_EQ(engine.live_frame(~std::uint64_t{0}), std::nullopt);
}

TYPED_TEST(EngineSwap, RefusesTapsBeyondTheRangeOfTheSamples) {
  const FilterBank first({{1.0}, {0.5}}, {"left", "right"});
  EngineConfig config;
  config.max_taps = 4;
  const Routing routing(1, 1, {{.filter = 0}, {.filter = 1, .gain = 1e200}});
  const double too_loud = sizeof(TypeParam) == 4 ? 1e-161 : 1e109;  // times the gain
  const FilterBank second({{1.0}, {0.0, too_loud}}, {"left", "right"});
  const FilterBank tame({{1.0}, {1e-170}}, {"left", "right"});
  EXPECT_THAT(refusal([&] { BasicEngine<TypeParam>(config, second, routing); }),
              AllOf(HasSubstr("'right'"), HasSubstr("gain")));
  BasicEngine<TypeParam> engine(config, tame, routing);
  EXPECT_THAT(refusal([&] { engine.swap(second, kNow); }),
              AllOf(HasSubstr("'right'"), HasSubstr("gain")));
  EXPECT_EQ(refusal([&] { engine.swap(tame, kNow); }), "accepted");
}

}  // namespace
}  // namespace firbank
