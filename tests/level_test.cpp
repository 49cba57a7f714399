// What the running path asks of a backend: how much work each call brings, on which threads, and
// when banks are freed.
#include "engine/level.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include <gtest/gtest.h>

#include "engine/fail_over.hpp"
#include "tests/support/counting_backend.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::CountingBackend;
using test::Random;

constexpr std::size_t kBlock = 64;       // frames of a partition
constexpr std::size_t kPartitions = 64;  // of the longest filter
constexpr std::size_t kTaps = kBlock * kPartitions;

/// For calls of `call` frames.
PartitionPlan uniform_plan(std::size_t call = kBlock) {
  PartitionPlan plan;
  plan.call_frames = call;
  plan.piece_frames = kBlock;
  plan.levels = {{.block_frames = kBlock,
                  .transform_frames = 2 * kBlock,
                  .partition_taps = kBlock,
                  .partitions = kPartitions}};
  plan.max_taps = plan.max_response = kTaps;
  return plan;
}

EngineConfig config_of(std::size_t threads = 1) {
  EngineConfig config;
  config.block_frames = kBlock;
  config.threads = threads;
  return config;
}

template <class Sample>
class LevelWork : public testing::Test {
 protected:
  /// One channel through one filter.
  FailOver<Sample> convolver(const FilterBank& bank, std::size_t call = kBlock) {
    return FailOver<Sample>(backend_, uniform_plan(call), config_of(), bank, Routing::rows(1, 1));
  }

  /// Products of each call, over all of `in` in calls of `call` frames; the output goes to `out`.
  std::vector<std::size_t> products(FailOver<Sample>& convolver, const Signal& in, std::size_t call,
                                    Signal* out = nullptr) {
    const std::size_t frames = in[0].size();
    test::Planes<Sample> input(in);
    test::Planes<Sample> output(1, frames);
    std::vector<std::size_t> result;
    for (std::size_t position = 0; position < frames; position += call) {
      const std::size_t part = std::min(call, frames - position);
      const std::size_t before = backend_->counts().products;
      EXPECT_EQ(convolver.process(input.from(position), output.from(position), part),
                ProcessStatus::kOk);
      result.push_back(backend_->counts().products - before);
    }
    if (out != nullptr) *out = output.signal();
    return result;
  }

  std::shared_ptr<CountingBackend> backend_ = std::make_shared<CountingBackend>();
};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(LevelWork, SampleTypes);

TYPED_TEST(LevelWork, IsTheSameForEveryCallOfAWholeBlock) {
  Random random(1);
  auto convolver = this->convolver(test::random_bank(random, {kTaps}));
  const Signal in = test::random_signal(random, 1, 3 * kTaps);
  const std::vector<std::size_t> products = this->products(convolver, in, kBlock);
  for (std::size_t call = kPartitions; call < products.size(); ++call) {
    EXPECT_EQ(products[call], kPartitions) << "call " << call;
  }
}

TYPED_TEST(LevelWork, IsSharedOutInProportionToTheFrames) {
  for (const std::size_t call : {kBlock / 2, kBlock / 4, kBlock / 16, std::size_t{1}}) {
    SCOPED_TRACE(testing::Message() << "seed 2, calls of " << call << " frames");
    Random random(2);
    auto convolver = this->convolver(test::random_bank(random, {kTaps}), call);
    const Signal in = test::random_signal(random, 1, 3 * kTaps);
    const std::vector<std::size_t> products = this->products(convolver, in, call);
    const std::size_t share = (kPartitions * call + kBlock - 1) / kBlock;
    const std::size_t calls_a_block = kBlock / call;
    std::size_t of_block = 0;
    for (std::size_t i = 0; i < products.size(); ++i) {
      // Besides the share: partition 0, and partition 1 when the block is complete.
      EXPECT_LE(products[i], share + 2) << "call " << i;
      of_block += products[i];
      if ((i + 1) % calls_a_block != 0) continue;
      if (i / calls_a_block >= kPartitions) {
        EXPECT_EQ(of_block, kPartitions - 1 + calls_a_block) << "call " << i;
      }
      of_block = 0;
    }
  }
}

// A swap that is known two partitions ahead has its sums ready when it goes live.
TYPED_TEST(LevelWork, HasNoPeakWhenASwapGoesLiveThatWasAnnounced) {
  const Routing rows = Routing::rows(1, 1);
  constexpr std::size_t kBefore = 2 * kTaps;
  for (const std::size_t call : {kBlock, kBlock / 4}) {
    for (const std::size_t announced_at : {kBefore, kBefore + kBlock / 4, kBefore + kBlock / 2}) {
      if (announced_at % call != 0) continue;
      for (const std::size_t ahead : {2 * kBlock, 2 * kBlock + 24, 5 * kBlock + 1}) {
        for (const std::size_t fade : {std::size_t{0}, std::size_t{100}}) {
          SCOPED_TRACE(testing::Message()
                       << "seed 3, calls of " << call << ", announced at " << announced_at << ", "
                       << ahead << " frames ahead, fade " << fade);
          Random random(3);
          const FilterBank first = test::random_bank(random, {kTaps});
          const FilterBank second = test::random_bank(random, {kTaps});
          auto convolver = this->convolver(first, call);
          const std::size_t frames = announced_at + ahead + fade + 3 * kBlock;
          const Signal in = test::random_signal(random, 1, frames);
          Signal out;
          this->products(convolver, test::cut(in, 0, announced_at), call, &out);
          const auto live = static_cast<std::int64_t>(announced_at + ahead);
          const std::uint64_t ticket = convolver.swap(second, live, fade);
          Signal rest;
          const std::vector<std::size_t> products = this->products(
              convolver, test::cut(in, announced_at, frames - announced_at), call, &rest);
          EXPECT_EQ(convolver.live_frame(ticket), live);
          const std::size_t share = kPartitions * call / kBlock;
          EXPECT_LE(*std::max_element(products.begin(), products.end()), 2 * (share + 2) + 4);
          EXPECT_TRUE(test::follows(
              test::joined(out, rest),
              test::with_changes(direct_convolution(in, first, rows, frames),
                                 {{direct_convolution(in, second, rows, frames), live, fade}}),
              test::kErrorLimit<TypeParam>));
        }
      }
    }
  }
}

// One after another, each announced while the one before still fades.
TYPED_TEST(LevelWork, HasNoPeakWhenSwapsFollowOneAnother) {
  constexpr std::size_t kCall = kBlock / 4;
  constexpr std::size_t kFade = 4 * kBlock + 10;
  constexpr std::size_t kFrames = 2 * kTaps;
  const Routing rows = Routing::rows(1, 1);
  Random random(4);
  SCOPED_TRACE("seed 4");
  const FilterBank first = test::random_bank(random, {kTaps});
  auto convolver = this->convolver(first, kCall);
  const Signal in = test::random_signal(random, 1, kFrames);
  Signal out;
  this->products(convolver, test::cut(in, 0, kTaps), kCall, &out);
  std::vector<test::Change> changes;
  for (std::size_t i = 0; i < 4; ++i) {
    const FilterBank bank = test::random_bank(random, {kTaps});
    const auto live = static_cast<std::int64_t>(kTaps + 3 * kBlock + i * (kFade + 3 * kBlock));
    convolver.swap(bank, live, kFade);
    changes.push_back({direct_convolution(in, bank, rows, kFrames), live, kFade});
  }
  Signal rest;
  const std::vector<std::size_t> products =
      this->products(convolver, test::cut(in, kTaps, kFrames - kTaps), kCall, &rest);
  // Three banks at once: two are heard, one comes.
  EXPECT_LE(*std::max_element(products.begin(), products.end()),
            3 * (kPartitions * kCall / kBlock + 2) + 4);
  EXPECT_EQ(convolver.stats().swaps, 4u);
  EXPECT_TRUE(
      test::follows(test::joined(out, rest),
                    test::with_changes(direct_convolution(in, first, rows, kFrames), changes),
                    test::kErrorLimit<TypeParam>));
}

TYPED_TEST(LevelWork, KnowsNoSumsOfAForgottenPastWhenAnAnnouncedSwapGoesLive) {
  const Routing rows = Routing::rows(1, 1);
  for (const std::size_t ahead : {std::size_t{0}, kBlock / 2, 2 * kBlock, 3 * kBlock + 7}) {
    SCOPED_TRACE(testing::Message() << "seed 5, live " << ahead << " frames after the reset");
    Random random(5);
    const FilterBank first = test::random_bank(random, {kTaps});
    const FilterBank second = test::random_bank(random, {kTaps});
    auto convolver = this->convolver(first);
    const Signal before = test::random_signal(random, 1, kTaps);
    const Signal after = test::random_signal(random, 1, kTaps);
    constexpr std::size_t kAnnounced = kTaps - 3 * kBlock;
    this->products(convolver, test::cut(before, 0, kAnnounced), kBlock / 4);
    convolver.swap(second, static_cast<std::int64_t>(kTaps - 24 + ahead), 0);
    this->products(convolver, test::cut(before, kAnnounced, kTaps - 24 - kAnnounced), 20);
    convolver.reset();
    Signal out;
    this->products(convolver, after, kBlock / 4, &out);
    EXPECT_TRUE(test::follows(out,
                              test::with_changes(direct_convolution(after, first, rows, kTaps),
                                                 {{direct_convolution(after, second, rows, kTaps),
                                                   static_cast<std::int64_t>(ahead), 0}}),
                              test::kErrorLimit<TypeParam>));
  }
}

// Two blocks are summed at once only of what came since.
TYPED_TEST(LevelWork, PairsNoBlocksOfAForgottenPast) {
  const Routing rows = Routing::rows(1, 1);
  PartitionPlan plan = uniform_plan();
  plan.levels.front().pairs = true;
  for (const std::size_t blocks : {std::size_t{1}, kPartitions / 2, 2 * kPartitions + 1}) {
    SCOPED_TRACE(testing::Message() << "seed 8, reset after " << blocks << " blocks");
    Random random(8);
    const FilterBank bank = test::random_bank(random, {kTaps});
    FailOver<TypeParam> convolver(this->backend_, plan, config_of(), bank, rows);
    this->products(convolver, test::random_signal(random, 1, blocks * kBlock), kBlock);
    convolver.reset();
    const Signal after = test::random_signal(random, 1, 2 * kTaps);
    Signal out;
    this->products(convolver, after, kBlock, &out);
    EXPECT_TRUE(test::follows(out, direct_convolution(after, bank, rows, 2 * kTaps),
                              test::kErrorLimit<TypeParam>));
  }
}

// Banks that were replaced are freed by swap(), never by the thread that processes.
TYPED_TEST(LevelWork, LeavesNoBankBehindAndFreesNoneOnTheProcessingThread) {
  Random random(6);
  const FilterBank bank = test::random_bank(random, {kTaps});
  test::BackendCounts& counts = this->backend_->counts();
  {
    auto convolver = this->convolver(bank);
    std::atomic<bool> stop{false};
    std::thread audio([&] {
      test::Planes<TypeParam> planes(1, kBlock);
      while (!stop) convolver.process(planes.from(0), planes.from(0), kBlock);
    });
    test::Patience patience;
    for (std::size_t i = 0; i < 50; ++i) {
      const std::uint64_t ticket = convolver.swap(bank, 0, i % 3 * 50);
      while (!convolver.live_frame(ticket) && patience.wait()) {
      }
      // In use, fading in, and replaced but not collected yet.
      EXPECT_LE(counts.banks_made - counts.banks_destroyed, 4u) << "swap " << i;
    }
    stop = true;
    const std::thread::id audio_id = audio.get_id();
    audio.join();
    const std::vector<std::thread::id> destroyers = counts.destroyed_by();
    EXPECT_GE(destroyers.size(), 47u);
    EXPECT_EQ(std::count(destroyers.begin(), destroyers.end(), audio_id), 0);
    convolver.swap(bank, INT64_MAX, 0);  // never goes live
  }
  EXPECT_EQ(counts.banks_made, 52u);
  EXPECT_EQ(counts.banks_destroyed, counts.banks_made);
}

#if defined(__SSE2__)

constexpr unsigned kFlush = 0x8040;  // FTZ and DAZ
constexpr unsigned kExceptions = 0x3F;

PartitionPlan direct_plan() {
  PartitionPlan plan;
  plan.kind = PlanKind::kDirect;
  plan.call_frames = plan.piece_frames = kBlock;
  plan.max_taps = plan.max_response = 16;
  return plan;
}

// On every thread that computes, and only while it does.
TEST(LevelThreads, TreatSubnormalsAsZeroWhileTheyCompute) {
  constexpr std::size_t kChannels = 8;
  for (const PlanKind kind : {PlanKind::kPartitioned, PlanKind::kDirect}) {
    for (const std::size_t threads : {1, 2}) {
      SCOPED_TRACE(testing::Message() << (kind == PlanKind::kPartitioned ? "uniform" : "direct")
                                      << ", " << threads << " threads");
      const auto backend = std::make_shared<CountingBackend>();
      const std::thread::id caller = std::this_thread::get_id();
      std::atomic<std::size_t> on_caller{0};
      std::atomic<std::size_t> on_worker{0};
      std::atomic<std::size_t> without{0};
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      backend->counts().on_operation = [&] {
        if ((_mm_getcsr() & kFlush) != kFlush) ++without;
        ++(std::this_thread::get_id() == caller ? on_caller : on_worker);
        // The caller holds its share until a worker has taken one.
        while (threads > 1 && on_worker == 0 && std::chrono::steady_clock::now() < end) {
          std::this_thread::yield();
        }
      };
      Random random(7);
      const FilterBank bank =
          test::random_bank(random, {kind == PlanKind::kPartitioned ? kTaps : 16});
      FailOver<float> convolver(backend,
                                kind == PlanKind::kPartitioned ? uniform_plan() : direct_plan(),
                                config_of(threads), bank, Routing::rows(kChannels, 1));
      on_caller = on_worker = without = 0;  // only process() and flush() count
      test::Planes<float> planes(test::random_signal(random, kChannels, kBlock));
      const unsigned saved = _mm_getcsr();
      const unsigned before = saved & ~(kFlush | kExceptions);
      _mm_setcsr(before);
      convolver.process(planes.from(0), planes.from(0), kBlock);
      const unsigned after_process = _mm_getcsr();
      convolver.swap(bank, 0, 5);  // goes live in the tail
      convolver.flush(planes.from(0), 10);
      const unsigned after_flush = _mm_getcsr();
      _mm_setcsr(saved);
      EXPECT_EQ(after_process & ~kExceptions, before);
      EXPECT_EQ(after_flush & ~kExceptions, before);
      EXPECT_EQ(without, 0u);
      EXPECT_GT(on_caller, 0u);
      EXPECT_EQ(on_worker > 0, threads > 1);
    }
  }
}

#endif

}  // namespace
}  // namespace firbank
