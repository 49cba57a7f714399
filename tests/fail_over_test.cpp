// A device that is lost in mid-stream, wherever that happens: what is put out is what the CPU alone
// would have put out.
#include "engine/fail_over.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "kernels/backends.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/config_refusal.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFaults[] = {"fail_launch", "fail_work", "hang"};

/// What is done with a stream, call by call. Positions do not depend on who computes.
struct Call {
  std::size_t frames = 0;
  bool resets = false;                     // before it
  std::size_t swaps = 0;                   // before it
  std::optional<std::int64_t> moves_to{};  // after a reset
};
struct Swap {
  FilterBank bank;
  std::int64_t ahead = 0;  // of the call's first frame; what has passed means at once
  std::size_t crossfade = 0;
};
struct Script {
  EngineConfig config;
  Routing routing;
  FilterBank bank;
  std::vector<Call> calls;
  std::vector<Swap> swaps;
  Signal in;
  bool in_place = false;  // outputs take the place of the inputs of the same numbers
};

struct Outcome {
  Signal out;  // and the tail
  std::vector<std::optional<std::int64_t>> live_frames;
  Stats stats;
  std::size_t failed_calls = 0;
  std::string backend;
  std::string failure;
};

/// Patient with a device that only waits for its turn on a busy machine; not with one that hangs.
std::shared_ptr<const Backend> device(bool hangs = false) {
  CudaOptions options;
  options.patience = std::chrono::milliseconds(hangs ? 20 : 20'000);
  return std::make_shared<CudaBackend>(*device_plugin().api, options);
}

PartitionPlan plan_for(const Backend& backend, const Script& script) {
  return choose_plan(script.config, script.bank, script.routing, abilities_of(backend));
}

Outcome run(const std::shared_ptr<const Backend>& backend, const Script& script) {
  FailOver<float> filter(backend, plan_for(*backend, script), script.config, script.bank,
                         script.routing);
  test::Planes<float> in(script.in);
  const std::size_t frames = in.frames();
  test::Planes<float> out(script.routing.outputs(), frames + filter.max_frames() + 100'000);
  std::vector<const float*> planes(in.channels());
  const auto input = [&](std::size_t position, std::size_t count) {
    for (std::size_t channel = 0; channel < planes.size(); ++channel) {
      const float* const plane = in[channel].data() + position;
      planes[channel] = plane;
      if (!script.in_place || channel >= out.channels()) continue;
      float* const place = out[channel].data() + position;
      planes[channel] = place;
      std::copy_n(plane, count, place);
    }
    return planes.data();
  };
  Outcome outcome;
  const auto collect = [&] {
    if (filter.collect().status == ProcessStatus::kBackendFailed) ++outcome.failed_calls;
  };
  std::vector<std::uint64_t> tickets;
  std::size_t position = 0;
  for (const Call& call : script.calls) {
    if (call.resets) filter.reset();
    if (call.moves_to) filter.set_position(*call.moves_to);
    for (std::size_t k = 0; k < call.swaps; ++k) {
      const Swap& swap = script.swaps[tickets.size()];
      tickets.push_back(filter.swap(swap.bank, filter.position() + swap.ahead, swap.crossfade));
    }
    while (filter.calls_under_way() > script.config.depth_blocks) collect();
    filter.submit(input(position, call.frames), out.from(position), call.frames);
    position += call.frames;
  }
  while (filter.calls_under_way() > 0) collect();
  while (const std::size_t part = filter.flush(out.from(position), script.config.block_frames)) {
    position += part;
    if (filter.last_call().status == ProcessStatus::kBackendFailed) ++outcome.failed_calls;
  }
  outcome.out = out.signal(position);
  for (const std::uint64_t ticket : tickets) {
    outcome.live_frames.push_back(filter.live_frame(ticket));
  }
  outcome.stats = filter.stats();
  outcome.backend = filter.backend().name();
  outcome.failure = filter.failure();
  return outcome;
}

Script random_script(Random& random) {
  const std::size_t inputs = between(random, 1, 3);
  const std::size_t outputs = between(random, 1, 3);
  const std::size_t filters = between(random, 1, 3);
  const bool rows = between(random, 0, 2) == 0;
  const Routing routing =
      rows ? Routing::rows(inputs, inputs)
           : test::random_routing(random, inputs, outputs, filters, between(random, 1, 6), 100);
  std::size_t count = 0;
  for (const Edge& edge : routing.edges()) count = std::max(count, edge.filter + 1);
  // Few taps fit into one partition, which rows meet in one kernel.
  const std::size_t most_taps = between(random, 0, 2) == 0 ? 20 : 400;
  const auto bank = [&] {
    std::vector<std::size_t> lengths(count);
    for (std::size_t& taps : lengths) taps = between(random, 1, most_taps);
    return test::random_bank(random, lengths);
  };
  Script script{{}, routing, bank(), {}, {}, {}};
  EngineConfig& config = script.config;
  config.block_frames = between(random, 0, 9) == 0 ? between(random, 1, 7) : between(random, 8, 64);
  config.max_frames = config.block_frames * between(random, 1, 3);
  config.max_taps = most_taps;
  config.depth_blocks = between(random, 0, 3);
  if (between(random, 0, 1) == 0) config.gpu_mode = GpuMode::kThroughput;
  switch (between(random, 0, 3)) {
    case 0:
    case 1:
      // Levels short enough for the filters.
      config.partition_frames = test::random_partition_frames(random, 24);
      break;
    case 2:
      test::want_direct_form(config);
      break;
    default:
      break;
  }
  std::size_t frames = 0;
  const std::size_t most = between(random, 100, 1'200);
  while (frames < most) {
    Call& call = script.calls.emplace_back();
    call.frames =
        between(random, 0, 2) == 0 ? between(random, 0, config.max_frames) : config.block_frames;
    call.resets = between(random, 0, 19) == 0;
    // As after a gap, or where a new stream begins.
    if (call.resets && between(random, 0, 1) == 0) {
      call.moves_to = static_cast<std::int64_t>(between(random, 0, 3'000)) - 1'500;
    }
    if (between(random, 0, 5) == 0 && script.swaps.size() < 4) {
      const auto ahead = static_cast<std::int64_t>(between(random, 0, 400)) - 200;
      const std::size_t fade = between(random, 0, 2) == 0 ? 0 : between(random, 1, 300);
      script.swaps.push_back({bank(), ahead, fade});
      call.swaps = 1;
    }
    frames += call.frames;
  }
  script.in = test::random_signal(random, routing.inputs(), frames);
  if (between(random, 0, 1) == 0) test::round_to_16_bits(script.in);
  script.in_place = between(random, 0, 1) == 0;
  for (std::size_t k = between(random, 0, 2); k > 0; --k) {
    script.in[between(random, 0, routing.inputs() - 1)][between(random, 0, frames - 1)] =
        std::numeric_limits<double>::quiet_NaN();
  }
  return script;
}

class FailOverTest : public test::DeviceFixture {
 protected:
  /// Of graphs and copies.
  std::uint64_t launches() const { return counts().launches + counts().copies; }

  /// The launches that the script takes on a device that holds.
  std::uint64_t launches_of(const Script& script) {
    configure("");
    control_->reset_counts();
    run(device(), script);
    return launches_ = launches();
  }

  /// The device goes wrong at a launch; `expected` is what the CPU alone gives.
  void expect_no_loss(const Script& script, const char* fault, std::uint64_t launch,
                      const Outcome& expected) {
    const std::string settings = fmt::format("{}={}", fault, launch);
    SCOPED_TRACE(settings);
    configure(settings);
    const Outcome outcome = run(device(std::string_view(fault) == "hang"), script);
    configure("");
    EXPECT_TRUE(test::follows(outcome.out, expected.out, 1e-6));
    EXPECT_EQ(outcome.failed_calls, 0u);
    EXPECT_EQ(outcome.live_frames, expected.live_frames);
    EXPECT_EQ(outcome.stats.frames, expected.stats.frames);
    EXPECT_EQ(outcome.stats.calls, expected.stats.calls);
    EXPECT_EQ(outcome.stats.swaps, expected.stats.swaps);
    EXPECT_EQ(outcome.stats.spoiled_frames, expected.stats.spoiled_frames);
    EXPECT_EQ(outcome.stats.first_spoiled_frame, expected.stats.first_spoiled_frame);
    EXPECT_EQ(outcome.stats.lost_frames, 0);
    EXPECT_EQ(outcome.stats.first_lost_frame, Stats::kNone);
    // Nobody may have waited for the last things that the device was asked for.
    const bool is_noticed = std::string_view(fault) == "fail_launch" || launch + 8 < launches_;
    if (is_noticed || outcome.stats.fail_over_frame != Stats::kNone) {
      EXPECT_NE(outcome.stats.fail_over_frame, Stats::kNone);
      EXPECT_EQ(outcome.backend, expected.backend);
      EXPECT_THAT(outcome.failure, AllOf(Not(testing::IsEmpty()), Not(HasSubstr("\n"))));
    }
  }

  std::uint64_t launches_ = 0;  // of the script, all in all
};

TEST_F(FailOverTest, LosesNothingWhereverTheDeviceIsLost) {
  struct Mode {
    std::size_t depth;
    GpuMode mode;
  };
  for (const auto& [depth, mode] :
       {Mode{0, GpuMode::kWhole}, Mode{2, GpuMode::kWhole}, Mode{2, GpuMode::kThroughput}}) {
    Random random(1);
    SCOPED_TRACE(testing::Message()
                 << "seed 1, depth " << depth << ", throughput " << (mode == GpuMode::kThroughput));
    const Routing routing = Routing::matrix(2, 2, 4);
    const auto bank = [&] { return test::random_bank(random, {150, 90, 20, 150}); };
    Script script{{}, routing, bank(), {}, {}, test::random_signal(random, 2, 20 * 32)};
    script.config.block_frames = 32;
    script.config.depth_blocks = depth;
    script.config.gpu_mode = mode;
    // Two fades, one behind the other, and a bank that comes at once.
    script.swaps = {{bank(), 10, 100}, {bank(), 30, 40}, {bank(), 0, 0}};
    for (std::size_t block = 0; block < 20; ++block) {
      script.calls.push_back({block == 9    ? 7u
                              : block == 10 ? 57u
                                            : 32u,
                              block == 16,
                              block == 3    ? 2u
                              : block == 12 ? 1u
                                            : 0u});
    }
    std::size_t frames = 0;
    for (const Call& call : script.calls) frames += call.frames;
    ASSERT_EQ(frames, 20u * 32);
    script.config.max_frames = 64;
    const Outcome expected = run(make_backend("auto"), script);
    ASSERT_EQ(expected.stats.swaps, 3u);
    const std::uint64_t count = launches_of(script);
    ASSERT_GE(count, 25u);
    for (const char* fault : kFaults) {
      for (std::uint64_t launch = 1; launch <= count; ++launch) {
        expect_no_loss(script, fault, launch, expected);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(FailOverTest, LosesNothingOfRandomStreams) {
  const std::uint64_t seeds = test::full_sweep() ? 1'000 : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const Script script = random_script(random);
    const Outcome expected = run(make_backend("auto"), script);
    const std::uint64_t count = launches_of(script);
    for (const char* fault : kFaults) {
      expect_no_loss(script, fault, between(random, 1, count), expected);
    }
    if (HasFailure()) return;
  }
}

TEST_F(FailOverTest, LosesNothingOfLongCalls) {
  Random random(7);
  SCOPED_TRACE("seed 7");
  Script script{{},
                Routing::rows(2, 2),
                test::random_bank(random, {500, 300}),
                {{10'000}, {64}, {9'999}, {10'000}},
                {},
                test::random_signal(random, 2, 30'063)};
  script.in[1][25'000] = std::numeric_limits<double>::infinity();
  script.config.block_frames = 64;
  script.config.max_frames = 10'000;
  script.config.depth_blocks = 2;
  const Outcome expected = run(make_backend("auto"), script);
  const std::uint64_t count = launches_of(script);
  for (std::uint64_t launch = 1; launch <= count; launch += count / 12) {
    expect_no_loss(script, "fail_launch", launch, expected);
  }
}

TEST_F(FailOverTest, TellsFromWhichFrameOnTheCpuAnswers) {
  Random random(2);
  SCOPED_TRACE("seed 2");
  Script script{{},
                Routing::rows(1, 1),
                test::random_bank(random, {100}),
                std::vector<Call>(10, Call{64}),
                {},
                test::random_signal(random, 1, 640)};
  script.config.block_frames = 64;
  for (const std::size_t depth : {0, 3}) {
    script.config.depth_blocks = depth;
    configure("fail_work=5");
    const Outcome outcome = run(device(), script);
    // A device is known to be lost before it is asked for what it would still have answered.
    EXPECT_LE(outcome.stats.fail_over_frame, 4 * 64);
    EXPECT_GE(outcome.stats.fail_over_frame, (4 - static_cast<std::int64_t>(depth)) * 64);
    EXPECT_EQ(outcome.stats.fail_over_frame % 64, 0);
  }
  configure("");
  EXPECT_EQ(run(device(), script).stats.fail_over_frame, Stats::kNone);
}

TEST_F(FailOverTest, GoesOnInThePipeline) {
  for (const std::size_t depth : {0, 2}) {
    SCOPED_TRACE(testing::Message() << "seed 3, depth " << depth);
    Random random(3);
    const FilterBank bank = test::random_bank(random, {300, 200});
    const FilterBank next = test::random_bank(random, {250, 300});
    const Routing routing = Routing::rows(2, 2);
    Signal in = test::random_signal(random, 2, 40 * 64);
    // Spoils blocks before the loss, all around it, and after it.
    for (const std::size_t block : {1, 8, 9, 10, 11, 30}) {
      in[1][block * 64] = std::numeric_limits<double>::quiet_NaN();
    }
    EngineConfig config;
    config.block_frames = 64;
    config.depth_blocks = depth;
    std::vector<bool> spoiled;  // of the CPU's blocks
    Stats stats;
    const auto run_engine = [&](const std::string& backend, std::string* name) {
      config.backend = backend;
      Engine engine(config, bank, routing);
      test::Pulled pulled;
      engine.start();
      engine.swap(next, 1'000, 700);
      test::push_all(engine, in, test::equal_calls(40 * 64, 64), 0, 64, pulled);
      test::pull_to_end(engine, 64, pulled);
      engine.stop();
      std::vector<bool> marks;
      for (const test::PulledBlock& block : pulled.blocks) {
        EXPECT_FALSE(has(block.flags, BlockFlags::kLost)) << block.first_frame;
        marks.push_back(has(block.flags, BlockFlags::kSpoiled));
      }
      if (backend == "cpu") {
        spoiled = marks;
        stats = engine.stats();
      }
      EXPECT_EQ(marks, spoiled);
      EXPECT_EQ(engine.stats().spoiled_frames, stats.spoiled_frames);
      EXPECT_EQ(engine.stats().lost_frames, 0);
      *name = engine.backend();
      return pulled.out;
    };
    std::string cpu, name;
    const Signal expected = run_engine("cpu", &cpu);
    for (const char* fault : {"fail_launch=20", "fail_work=20"}) {
      configure(fault);
      EXPECT_TRUE(test::follows(run_engine("cuda", &name), expected, 1e-6)) << fault;
      EXPECT_EQ(name, cpu);
    }
  }
}

TEST_F(FailOverTest, TakesSwapsAndResetsAfterIt) {
  configure("fail_launch=3");
  Random random(4);
  SCOPED_TRACE("seed 4");
  EngineConfig config;
  config.block_frames = 64;
  config.backend = "cuda";
  const Routing routing = Routing::rows(1, 1);
  const FilterBank bank = test::random_bank(random, {300});
  const FilterBank next = test::random_bank(random, {300});
  Engine engine(config, bank, routing);
  // What is heard at the loss is shorter than what may come.
  engine.swap(test::random_bank(random, {20}), 0);
  const Signal in = test::random_signal(random, 1, 10 * 64);
  test::Planes<float> input(in), output(1, 10 * 64);
  for (std::size_t block = 0; block < 5; ++block) {
    ASSERT_EQ(engine.process(input.from(block * 64), output.from(block * 64), 64),
              ProcessStatus::kOk);
  }
  EXPECT_EQ(engine.stats().fail_over_frame, 2 * 64);
  const std::uint64_t ticket = engine.swap(next, 0);
  engine.reset();
  for (std::size_t block = 5; block < 10; ++block) {
    ASSERT_EQ(engine.process(input.from(block * 64), output.from(block * 64), 64),
              ProcessStatus::kOk);
  }
  EXPECT_EQ(engine.live_frame(ticket), 5 * 64);
  EXPECT_TRUE(test::follows(
      test::cut(output.signal(), 5 * 64, 5 * 64),
      direct_convolution(test::cut(in, 5 * 64, 5 * 64), next, routing, 5 * 64), 1e-6));
}

TEST_F(FailOverTest, UpdatesAFilterOnceTheCpuComputes) {
  configure("fail_launch=3");
  Random random(6);
  SCOPED_TRACE("seed 6");
  EngineConfig config;
  config.block_frames = 64;
  config.backend = "cuda";
  const Routing rows = Routing::rows(1, 1);
  const FilterBank bank = test::random_bank(random, {300});
  const FilterBank next = test::random_bank(random, {200});
  Engine engine(config, bank, rows);
  EXPECT_THAT(test::config_refusal([&] { engine.update(0, next.taps(0)); }),
              AllOf(HasSubstr("GPU"), HasSubstr("swap")));
  const Signal in = test::random_signal(random, 1, 10 * 64);
  test::Planes<float> input(in), output(1, 10 * 64);
  for (std::size_t block = 0; block < 10; ++block) {
    if (block == 5) engine.update(0, next.taps(0));
    ASSERT_EQ(engine.process(input.from(block * 64), output.from(block * 64), 64),
              ProcessStatus::kOk);
  }
  EXPECT_EQ(engine.stats().fail_over_frame, 2 * 64);
  EXPECT_TRUE(
      test::follows(output.signal(),
                    test::with_changes(direct_convolution(in, bank, rows, 10 * 64),
                                       {{direct_convolution(in, next, rows, 10 * 64), 5 * 64, 0}}),
                    1e-6));
}

TEST_F(FailOverTest, RefusesWhatADeviceRefusesWithoutMindingIt) {
  Random random(5);
  SCOPED_TRACE("seed 5");
  Script script{{}, Routing::rows(1, 1), test::random_bank(random, {100}), {}, {}, {}};
  script.config.block_frames = 64;
  const auto backend = device();
  FailOver<float> filter(backend, plan_for(*backend, script), script.config, script.bank,
                         script.routing);
  EXPECT_THROW(filter.swap(test::random_bank(random, {101}), 0, 0), Error);
  EXPECT_THROW(filter.swap(FilterBank({{std::numeric_limits<double>::max()}}), 0, 0), Error);
  const Signal in = test::random_signal(random, 1, 128);
  test::Planes<float> input(in), output(1, 128);
  EXPECT_EQ(filter.process(input.from(0), output.from(0), 64), ProcessStatus::kOk);
  EXPECT_EQ(filter.process(input.from(0), output.from(0), 128), ProcessStatus::kTooManyFrames);
  EXPECT_EQ(filter.process(nullptr, nullptr, 0), ProcessStatus::kOk);
  configure("fail_launch=1");
  EXPECT_EQ(filter.process(input.from(64), output.from(64), 64), ProcessStatus::kOk);
  EXPECT_EQ(filter.stats().fail_over_frame, 64);
  EXPECT_EQ(filter.stats().swaps, 0u);
  EXPECT_TRUE(test::follows(
      {test::cut(output.signal(), 64, 64)},
      test::cut(direct_convolution(in, script.bank, script.routing, 128), 64, 64), 1e-6));
}

TEST_F(FailOverTest, GoesOnAcrossGapsAndNewStreams) {
  Random random(8);
  SCOPED_TRACE("seed 8");
  const FilterBank bank = test::random_bank(random, {300});
  const FilterBank next = test::random_bank(random, {250});
  const Signal in = test::random_signal(random, 1, 30 * 64);
  for (const GapPolicy policy : {GapPolicy::kReset, GapPolicy::kHold, GapPolicy::kZero}) {
    EngineConfig config;
    config.block_frames = 64;
    config.gap_policy = policy;
    Stats stats;
    const auto run_engine = [&](const std::string& backend) {
      config.backend = backend;
      Engine engine(config, bank, Routing::rows(1, 1));
      Signal out(1);
      // A fade that lasts through a gap; and then a stream that begins at a frame of the past.
      const std::uint64_t ticket = engine.swap(next, 128, 5'000);
      for (const std::int64_t begin : {0, 1}) {
        test::Pulled pulled;
        engine.start();
        test::push_all(engine, test::cut(in, 0, 10 * 64), test::equal_calls(10 * 64, 64), begin, 64,
                       pulled);
        test::push_all(engine, test::cut(in, 10 * 64, 20 * 64), test::equal_calls(20 * 64, 64),
                       begin + 10 * 64 + 100, 64, pulled);
        test::pull_to_end(engine, 64, pulled);
        engine.stop();
        out = test::joined(out, pulled.out);
      }
      EXPECT_EQ(engine.live_frame(ticket), 128);
      stats = engine.stats();
      return out;
    };
    const Signal expected = run_engine("cpu");
    const Stats on_cpu = stats;
    EXPECT_EQ(on_cpu.gaps, 2u);
    for (const int launch : {3, 9, 14, 24, 40, 60, 70}) {
      SCOPED_TRACE(launch);
      configure(fmt::format("fail_launch={}", launch));
      EXPECT_TRUE(test::follows(run_engine("cuda"), expected, 1e-6));
      EXPECT_NE(stats.fail_over_frame, Stats::kNone);
      EXPECT_EQ(stats.gaps, on_cpu.gaps);
      EXPECT_EQ(stats.gap_frames, on_cpu.gap_frames);
      EXPECT_EQ(stats.first_gap_frame, on_cpu.first_gap_frame);
      EXPECT_EQ(stats.frames, on_cpu.frames);
    }
  }
}

TEST_F(FailOverTest, ForgetsABankThatTheDeviceHasNoMemoryFor) {
  Random random(9);
  SCOPED_TRACE("seed 9");
  EngineConfig config;
  config.block_frames = 64;
  config.backend = "cuda";
  config.max_taps = 20'000;
  const Routing routing = Routing::rows(1, 1);
  const FilterBank bank = test::random_bank(random, {300});
  const FilterBank next = test::random_bank(random, {200});
  Engine engine(config, bank, routing);
  test::FakeDeviceMemory memory{};
  control_->memory(&memory);
  configure(fmt::format("memory={},fail_launch=6", memory.device_bytes + 100'000));
  const Signal in = test::random_signal(random, 1, 10 * 64);
  test::Planes<float> input(in), output(1, 10 * 64);
  for (std::size_t block = 0; block < 10; ++block) {
    if (block == 2) {
      EXPECT_THROW(engine.swap(test::random_bank(random, {20'000}), 0), Error);
    }
    if (block == 3) {
      EXPECT_EQ(engine.swap(next, 0), 1u) << "as if nothing had been";
    }
    ASSERT_EQ(engine.process(input.from(block * 64), output.from(block * 64), 64),
              ProcessStatus::kOk);
  }
  EXPECT_NE(engine.stats().fail_over_frame, Stats::kNone);
  EXPECT_EQ(engine.stats().swaps, 1u);
  EXPECT_TRUE(test::follows(test::cut(output.signal(), 3 * 64, 7 * 64),
                            test::cut(direct_convolution(in, next, routing, 640), 3 * 64, 7 * 64),
                            1e-6));
}

/// Sanitizers end the process where memory ends. clang tells of them by __has_feature alone.
constexpr bool kIsSanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    false;
#endif

/// In a process of its own, whose memory ends while the CPU's spectra are made.
int without_memory(const test::FakeDeviceControl& control) {
  control.configure("fail_launch=3");
  Random random(6);
  Script script{{},
                Routing::rows(1, 1),
                test::random_bank(random, {4'000'000}),
                std::vector<Call>(5, Call{16'384}),
                {},
                test::random_signal(random, 1, 5 * 16'384)};
  script.config.block_frames = 16'384;
  script.config.depth_blocks = 2;
  const auto backend = device();
  FailOver<float> filter(backend, plan_for(*backend, script), script.config, script.bank,
                         script.routing);
  test::Planes<float> planes(script.in);
  for (int block = 1; block <= 2; ++block) {
    if (filter.process(planes.from(0), planes.from(0), 16'384) != ProcessStatus::kOk) return block;
  }
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  std::size_t pages = 0;
  if (FILE* statm = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(statm, "%zu", &pages) != 1) return 9;
    std::fclose(statm);
  }
  limit.rlim_cur = pages * 4'096 + (std::size_t{8} << 20);
  if (setrlimit(RLIMIT_AS, &limit) != 0) return 8;
  // As many calls as may be are under way when the loss is found.
  for (std::size_t calls = 0; calls < 3; ++calls) {
    if (filter.calls_under_way() != calls) return 20;
    filter.submit(planes.from(0), planes.from(0), 16'384);
  }
  if (filter.collect().status != ProcessStatus::kBackendFailed) return 3;
  if (filter.calls_under_way() != 2) return 30;
  filter.submit(planes.from(0), planes.from(0), 16'384);
  if (filter.calls_under_way() != 3) return 31;
  while (filter.calls_under_way() > 0) {
    if (filter.collect().status != ProcessStatus::kBackendFailed) return 4;
  }
  const Stats stats = filter.stats();
  if (stats.lost_frames != 4 * 16'384 || stats.first_lost_frame != 2 * 16'384) return 7;
  if (stats.fail_over_frame != Stats::kNone) return 6;
  return filter.failure().find("the CPU cannot go on") == std::string::npos ? 10 : 0;
}

TEST_F(FailOverTest, CountsTheLossWhereTheCpuCannotGoOn) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer ends the process where memory ends";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::_Exit(without_memory(*control_)), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace firbank
