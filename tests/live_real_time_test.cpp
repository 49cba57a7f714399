// A live session's callback neither allocates, nor locks, nor calls the system, whatever is asked
// of it meanwhile; through an engine's rings it may wake the engine's thread.
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/live_session.hpp"
#include "engine/ring_drive.hpp"
#include "io/stream_recorder.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/rt_guard.hpp"

namespace firbank {
namespace {

using test::Random;

class LiveRealTime : public testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = rt_guard::why_not();
    if (!reason.empty()) GTEST_SKIP() << "not proved: " << reason;
    rt_guard::forget();
  }
};

TEST_F(LiveRealTime, ProcessesWithoutAllocationLockOrSystemCall) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const Routing routing = test::random_routing(random, 2, 3, 2, 5, 50);
    LiveConfig config;
    config.engine.block_frames = test::between(random, 1, 200);
    config.engine.max_taps = 2'000;
    config.bypass_fade = seed % 2 == 0 ? BypassFade::kLinear : BypassFade::kEqualPower;
    config.dry_delay_frames = 37;
    config.tap_samples = 1'024;
    config.may_change_engine = true;
    LiveSession session(config, test::random_bank(random, {1'500, 2'000}), routing);
    StreamRecorder recorder(std::make_unique<NullSink>(), 5, config.engine.sample_rate_hz, 0.05);

    constexpr std::size_t kFrames = 20'000;
    test::Planes<float> in(test::random_signal(random, 2, kFrames));
    in[0][5'000] = std::numeric_limits<float>::quiet_NaN();
    test::Planes<float> out(3, kFrames);
    std::vector<float> seen(1'024);
    std::size_t position = 0;
    std::size_t calls = 0;
    for (const std::size_t frames : test::random_calls(random, kFrames, 64, 1'000)) {
      if (calls % 40 == 20) session.swap(test::random_bank(random, {900, 1'200}), 500);
      if (calls % 50 == 10 && !session.is_changing_engine()) {
        EngineConfig engine = session.engine_config();
        engine.backend = calls % 100 == 10 ? "cpu-scalar" : "cpu";
        session.change_engine(engine, 700);
      }
      float* const* input = in.from(position);
      float* const* output = out.from(position);
      DeviceGlitches glitches;
      glitches.output_underflow = calls % 7 == 0;
      {
        const rt_guard::Scope scope;
        session.set_bypass(calls % 11 < 5);
        session.set_gain_db(static_cast<double>(calls % 30) - 10);
        session.set_limiter(calls % 13 < 6);
        session.note_glitch(glitches);
        session.process(input, output, frames);
        recorder.offer(input, 2, output, 3, frames);
        session.status();
        session.input_level(0);
        session.output_level(2);
        session.output_tap().newest(seen.data(), seen.size());
      }
      position += frames;
      ++calls;
    }
    EXPECT_GT(session.status().engine.swaps, 0u);
    EXPECT_GT(session.status().engine_changes, 0u);
    EXPECT_GT(session.status().limited_frames, 0);
    EXPECT_GT(session.status().silenced_frames, 0);
    EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
    rt_guard::forget();
    recorder.finish();
  }
}

// Frames come between the moment that a new engine has heard the past and the one that the callback
// takes it.
TEST_F(LiveRealTime, ChangesEnginesBesideTheirMaking) {
  Random random(7);
  LiveConfig config;
  config.engine.block_frames = 64;
  config.may_change_engine = true;
  const FilterBank bank = test::random_bank(random, {3'000});
  LiveSession session(config, bank, Routing::rows(2, 1));
  constexpr std::uint64_t kChanges = 30;
  std::thread owner([&] {
    for (std::uint64_t change = 0; change < kChanges;) {
      session.free_old_engines();
      if (session.is_changing_engine()) continue;
      EngineConfig engine = session.engine_config();
      engine.backend = ++change % 2 == 0 ? "cpu" : "cpu-scalar";
      session.change_engine(engine, 200);
    }
  });
  test::Planes<float> in(test::random_signal(random, 2, 64));
  test::Planes<float> out(2, 64);
  while (session.status().engine_changes < kChanges) {
    float* const* input = in.from(0);
    float* const* output = out.from(0);
    {
      const rt_guard::Scope scope;
      session.process(input, output, 64);
    }
    // The pace of a device, or nearly so.
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  owner.join();
  EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
}

// Pushing wakes the engine's thread, which is a system call.
TEST_F(LiveRealTime, DrivesRingsWithoutAllocationOrLock) {
  Random random(1);
  EngineConfig config;
  config.block_frames = 64;
  Engine engine(config, test::random_bank(random, {300}), Routing::rows(2, 1));
  RingDrive rings(engine, 128);
  test::Planes<float> in(test::random_signal(random, 2, 64));
  test::Planes<float> out(2, 64);
  for (std::size_t call = 0; call < 500; ++call) {
    float* const* input = in.from(0);
    float* const* output = out.from(0);
    const rt_guard::Scope scope(rt_guard::Watch::kMemoryAndLocks);
    rings.process(input, output, call % 65);
  }
  EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
}

}  // namespace
}  // namespace firbank
