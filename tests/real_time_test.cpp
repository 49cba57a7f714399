// With one thread on the CPU, the running path neither allocates, nor locks, nor calls the system.
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "capi/firbank.h"
#include "engine/engine.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/rt_guard.hpp"

namespace firbank {
namespace {

using test::Random;

class RealTime : public testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = rt_guard::why_not();
    if (!reason.empty()) GTEST_SKIP() << "not proved: " << reason;
    rt_guard::forget();
  }

  template <class Act>
  static long violations_of(Act act) {
    rt_guard::forget();
    {
      const rt_guard::Scope scope;
      act();
    }
    const long violations = rt_guard::violations();
    rt_guard::forget();
    return violations;
  }
};

// Volatile, as a compiler may otherwise leave an unused allocation out.
void allocate() {
  void* volatile memory = std::malloc(64);
  std::free(memory);
}

// The guard itself: it catches each thing that it is there for, and nothing else.
using RtGuard = RealTime;

TEST_F(RtGuard, CatchesPlantedViolations) {
  EXPECT_GT(violations_of(allocate), 0) << "malloc";
  EXPECT_GT(violations_of([] {
              std::vector<double> grows;
              grows.resize(static_cast<std::size_t>(getpid()));
            }),
            0)
      << "operator new";
  std::mutex mutex;
  EXPECT_GT(violations_of([&] { const std::lock_guard lock(mutex); }), 0) << "mutex";
  std::shared_mutex shared;
  EXPECT_GT(violations_of([&] { const std::shared_lock lock(shared); }), 0) << "rwlock";
  EXPECT_GT(violations_of([] { std::this_thread::yield(); }), 0) << "system call";
  EXPECT_GT(violations_of([] { std::this_thread::sleep_for(std::chrono::nanoseconds(1)); }), 0);
}

TEST_F(RtGuard, LetsArithmeticAndOtherThreadsPass) {
  EXPECT_EQ(violations_of([] {
              volatile double x = 2;
              x = std::sin(x) + std::sqrt(x);
            }),
            0);
  std::atomic<bool> stop{false};
  std::atomic<long> turns{0};
  std::thread other([&] {
    while (!stop) {
      allocate();
      ++turns;
    }
  });
  while (turns == 0) std::this_thread::yield();
  const long before = turns;
  EXPECT_EQ(violations_of([&] {
              while (turns < before + 100) {
              }
            }),
            0);
  stop = true;
  other.join();
}

TEST_F(RtGuard, TellsWhatWasCalledFirst) {
  {
    const rt_guard::Scope scope;
    allocate();
  }
  EXPECT_EQ(rt_guard::first_violation().substr(0, 6), "malloc") << rt_guard::first_violation();
  EXPECT_EQ(rt_guard::violations(), 2);
  rt_guard::forget();
  EXPECT_EQ(rt_guard::first_violation(), "");
}

template <class Sample>
class RealTimeEngine : public RealTime {
 protected:
  // Odd calls, NaN, swaps with and without crossfades, flush and reset, under guard throughout; the
  // swaps themselves, which are set-up, come from outside the guard.
  static void drive(const std::string& backend, std::size_t block, std::size_t longest,
                    std::uint64_t seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", backend " << backend << ", block "
                                    << block << ", longest filter " << longest);
    Random random(seed);
    const Routing routing = test::random_routing(random, 3, 4, 3, 8, 100);
    const auto any_bank = [&] {
      return test::random_bank(random, {1, test::between(random, 1, longest), longest});
    };
    EngineConfig config;
    config.block_frames = block;
    config.max_frames = block + 100;
    config.backend = backend;
    if (seed % 2 == 0) config.partition_frames = test::random_partition_frames(random, 64);
    BasicEngine<Sample> engine(config, any_bank(), routing);
    constexpr std::size_t kFrames = 6'000;
    test::Planes<Sample> in(test::random_signal(random, 3, kFrames));
    in[1][2'000] = std::numeric_limits<Sample>::quiet_NaN();
    in[2][2'500] = std::numeric_limits<Sample>::infinity();
    test::Planes<Sample> out(4, kFrames);

    std::size_t position = 0;
    std::size_t calls = 0;
    std::uint64_t swapped = 0;
    for (const std::size_t frames : test::random_calls(random, kFrames, block, config.max_frames)) {
      if (position >= swapped * 900) {
        engine.swap(any_bank(), engine.position() + 33, swapped % 2 == 0 ? 0 : 500);
        ++swapped;
      }
      Sample* const* input = in.from(position);
      Sample* const* output = out.from(position);
      {
        const rt_guard::Scope scope;
        engine.process(input, output, frames);
        if (calls % 31 == 30) engine.reset();
      }
      position += frames;
      ++calls;
    }
    Sample* const* output = out.from(0);
    {
      const rt_guard::Scope scope;
      while (engine.flush(output, config.max_frames) > 0) {
      }
      engine.process(in.from(0), output, config.max_frames + 1);  // refused
      engine.stats();
      engine.position();
      engine.live_frame(1);
    }
    EXPECT_GE(engine.stats().swaps, 3u);
    EXPECT_GT(engine.stats().spoiled_frames, 0);
    EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
    rt_guard::forget();
  }
};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(RealTimeEngine, SampleTypes);

TYPED_TEST(RealTimeEngine, ProcessesWithoutAllocationLockOrSystemCall) {
  std::uint64_t seed = 0;
  for (const std::string& backend : test::available_backends()) {
    for (const std::size_t block : {1, 64, 100, 512}) {
      for (const std::size_t longest : {3, 200, 3'000}) {
        this->drive(backend, block, longest, ++seed);
      }
    }
  }
}

// Both may wake the pipeline thread, which is a system call.
TYPED_TEST(RealTimeEngine, PushesAndPullsWithoutAllocationOrLock) {
  Random random(1);
  EngineConfig config;
  config.block_frames = 64;
  BasicEngine<TypeParam> engine(config, test::random_bank(random, {300}), Routing::rows(2, 1));
  test::Planes<TypeParam> in(test::random_signal(random, 2, 100));
  test::Planes<TypeParam> out(2, 70);
  engine.start();
  test::Patience patience;
  std::int64_t pushed = 0;
  std::size_t pulled = 0;
  bool flushed = false;
  while (true) {
    BasicBlock<const TypeParam> block;
    block.planes = in.from(0);
    block.channels = 2;
    block.frames = 100;
    block.first_frame = pushed;
    BasicBlock<TypeParam> result;
    result.planes = out.from(0);
    result.channels = 2;
    result.frames = 70;
    std::size_t frames = 0;
    {
      const rt_guard::Scope scope(rt_guard::Watch::kMemoryAndLocks);
      if (pushed < 20'000) {
        pushed += static_cast<std::int64_t>(engine.push(block).frames);
      } else {
        flushed = flushed || engine.flush();
      }
      frames = engine.pull(result);
    }
    pulled += frames;
    if (has(result.flags, BlockFlags::kEndOfStream)) break;
    if (frames == 0 && !patience.wait()) break;
  }
  engine.stop();
  EXPECT_EQ(pulled, static_cast<std::size_t>(pushed) + engine.tail_frames());
  EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
}

TEST_F(RealTime, TheCApiNeitherAllocatesNorLocks) {
  const double taps[] = {0.5, 0.25, 0.125};
  const double* const all_taps[] = {taps};
  const size_t lengths[] = {3};
  const firbank_filters filters{1, all_taps, lengths, nullptr};
  firbank_config config;
  firbank_config_init(&config, sizeof config);
  config.channels = 5;
  config.block_frames = 64;
  config.out.type = FIRBANK_INT32;
  config.transient = FIRBANK_TRANSIENT_ZERO;
  firbank_engine* const engine = firbank_new();
  ASSERT_EQ(firbank_open(engine, &config, &filters), FIRBANK_OK) << firbank_message(engine);
  const std::vector<std::int16_t> in(5 * 64, 1'000);
  std::vector<std::int32_t> out(5 * 100);
  {
    const rt_guard::Scope scope;
    for (const std::size_t frames : {64, 1, 33, 64}) {
      firbank_set_bad_channel(engine, 2, frames == 33);
      firbank_process(engine, in.data(), out.data(), frames);
      size_t written = 0;
      firbank_flush(engine, out.data(), 10, &written);
      firbank_reset(engine);
      firbank_process(engine, in.data(), out.data(), 100);  // too many
      firbank_stats stats;
      stats.struct_size = sizeof(stats);
      firbank_get_stats(engine, &stats);
    }
  }
  EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
  rt_guard::forget();

  ASSERT_EQ(firbank_start(engine), FIRBANK_OK);
  firbank_reader* const lossless = firbank_open_reader(engine, FIRBANK_LOSSLESS);
  firbank_reader* const lossy = firbank_open_reader(engine, FIRBANK_LOSSY);
  std::int64_t pushed_frames = 0;
  std::int64_t pulled_frames = 0;
  test::Patience patience;
  while (pulled_frames < 5'000) {
    firbank_pushed pushed;
    firbank_block block;
    {
      const rt_guard::Scope scope(rt_guard::Watch::kMemoryAndLocks);
      firbank_push(engine, in.data(), 50, pushed_frames, 0, &pushed);
      firbank_pull(lossless, out.data(), 40, &block);
      firbank_block other;
      if (pushed_frames % 300 == 0) firbank_pull(lossy, out.data(), 64, &other);
    }
    pushed_frames += static_cast<std::int64_t>(pushed.frames);
    pulled_frames += static_cast<std::int64_t>(block.frames);
    if (block.frames == 0 && !patience.wait()) break;
  }
  EXPECT_GE(pulled_frames, 5'000);
  EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
  firbank_free(engine);
}

}  // namespace
}  // namespace firbank
