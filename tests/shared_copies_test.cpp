// Several threads that copy for a device: what is put out is the same, bit for bit, as with one, in
// every mode, through changes of banks, samples that are not finite, and the loss of the device.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/head_and_tail.hpp"
#include "engine/reference.hpp"
#include "kernels/backends.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::HasSubstr;

// A plane of a block is a thread's share of the copies.
constexpr std::size_t kBlock = 16'384;

/// A stream of blocks, most of them whole, that several threads can share.
struct Stream {
  EngineConfig config;
  Routing routing;
  FilterBank bank;
  FilterBank next;
  std::size_t swaps_before;  // call
  std::size_t crossfade;
  std::vector<std::size_t> calls;
  Signal in;

  std::size_t frames() const { return in.front().size(); }
};

/// Samples of 16 bits, or others, or both in turn; a few that are not finite.
Signal random_samples(Random& random, std::size_t channels, std::size_t frames) {
  Signal in = test::random_signal(random, channels, frames);
  const std::size_t kind = between(random, 0, 2);
  for (auto& channel : in) {
    for (std::size_t n = 0; n < frames; ++n) {
      const bool narrow = kind == 0 || (kind == 1 && n / (2 * kBlock) % 2 == 0);
      if (narrow) channel[n] = std::round(channel[n] * 8'192) / 32'768;
    }
  }
  for (std::size_t spoiled = between(random, 0, 3); spoiled > 0; --spoiled) {
    in[between(random, 0, channels - 1)][between(random, 0, frames - 1)] =
        spoiled % 2 == 0 ? std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  return in;
}

Stream random_stream(Random& random, GpuMode mode) {
  const std::size_t inputs = between(random, 3, 6);
  const std::size_t outputs = between(random, 3, 6);
  Stream stream{{},
                test::random_routing(random, inputs, outputs, 3, 8, 50),
                test::random_bank(random, {1, 40, 300}),
                test::random_bank(random, {200, 10, 77}),
                between(random, 1, 4),
                between(random, 0, 1) == 0 ? 0 : between(random, 1, kBlock + 100),
                {},
                {}};
  EngineConfig& config = stream.config;
  config.backend = "cuda";
  config.fail_over = false;
  config.block_frames = kBlock;
  config.partition_frames = {kBlock};
  config.max_taps = 300;
  config.depth_blocks = between(random, 0, 3);
  config.gpu_mode = mode;
  for (std::size_t call = 0; call < 7; ++call) {
    stream.calls.push_back(between(random, 0, 3) > 0 ? kBlock : between(random, 1, kBlock));
  }
  std::size_t frames = 0;
  for (const std::size_t call : stream.calls) frames += call;
  stream.in = random_samples(random, inputs, frames);
  return stream;
}

template <class Sample>
struct Outcome {
  std::vector<std::vector<Sample>> out;
  Stats stats;
  std::string failure;
  std::size_t threads = 0;
};

/// Patient with a device that only waits for its turn on a busy machine.
std::shared_ptr<const Backend> backend_of(const EngineConfig& config) {
  if (config.backend != "cuda") return make_backend(config.backend);
  CudaOptions options;
  options.patience = std::chrono::milliseconds(100'000);
  return std::make_shared<CudaBackend>(*device_plugin().api, options);
}

template <class Sample>
Outcome<Sample> run(const Stream& stream, std::size_t threads) {
  EngineConfig config = stream.config;
  config.threads = threads;
  HeadAndTail<Sample> engine(backend_of(config), config, stream.bank, stream.routing);
  test::Planes<Sample> in(stream.in);
  test::Planes<Sample> out(stream.routing.outputs(), stream.frames());
  std::size_t position = 0;
  std::size_t under_way = 0;
  for (std::size_t call = 0; call < stream.calls.size(); ++call) {
    if (call == stream.swaps_before) engine.swap(stream.next, engine.position(), stream.crossfade);
    engine.submit(in.from(position), out.from(position), stream.calls[call]);
    if (++under_way > config.depth_blocks) {
      engine.collect();
      --under_way;
    }
    position += stream.calls[call];
  }
  for (; under_way > 0; --under_way) engine.collect();
  Outcome<Sample> outcome;
  for (std::size_t output = 0; output < out.channels(); ++output) {
    outcome.out.push_back(out[output]);
  }
  outcome.stats = engine.stats();
  outcome.failure = engine.failure();
  outcome.threads = engine.threads();
  return outcome;
}

template <class Sample>
void expect_same(const Outcome<Sample>& a, const Outcome<Sample>& b) {
  ASSERT_EQ(a.out.size(), b.out.size());
  for (std::size_t output = 0; output < a.out.size(); ++output) {
    ASSERT_EQ(a.out[output].size(), b.out[output].size());
    EXPECT_EQ(0, std::memcmp(a.out[output].data(), b.out[output].data(),
                             a.out[output].size() * sizeof(Sample)))
        << "output " << output;
  }
  EXPECT_EQ(a.stats.spoiled_frames, b.stats.spoiled_frames);
  EXPECT_EQ(a.stats.first_spoiled_frame, b.stats.first_spoiled_frame);
  EXPECT_EQ(a.stats.lost_frames, b.stats.lost_frames);
}

using SharedCopies = test::DeviceFixture;

TEST_F(SharedCopies, GiveTheSameBitForBit) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const GpuMode mode = seed % 2 == 0 ? GpuMode::kWhole : GpuMode::kThroughput;
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const Stream stream = random_stream(random, mode);
    const Outcome<float> alone = run<float>(stream, 1);
    EXPECT_EQ(alone.failure, "");
    for (const std::size_t threads : {2, 4}) {
      SCOPED_TRACE(testing::Message() << threads << " threads");
      const Outcome<float> shared = run<float>(stream, threads);
      EXPECT_EQ(shared.threads, threads);
      expect_same(alone, shared);
    }
  }
}

TEST_F(SharedCopies, GiveTheSameBitForBitInDouble) {
  Random random(9);
  SCOPED_TRACE("seed 9");
  const Stream stream = random_stream(random, GpuMode::kThroughput);
  expect_same(run<double>(stream, 1), run<double>(stream, 3));
}

TEST_F(SharedCopies, FollowTheOracle) {
  Random random(10);
  SCOPED_TRACE("seed 10");
  Stream stream = random_stream(random, GpuMode::kThroughput);
  stream.swaps_before = stream.calls.size();
  stream.in = test::random_signal(random, stream.in.size(), stream.frames());
  const Outcome<float> shared = run<float>(stream, 3);
  Signal out;
  for (const auto& plane : shared.out) out.emplace_back(plane.begin(), plane.end());
  EXPECT_TRUE(test::follows(
      out, direct_convolution(stream.in, stream.bank, stream.routing, stream.frames()), 1e-6));
}

// What is written by several threads is what a CPU that takes over begins with.
TEST_F(SharedCopies, LoseNothingWithTheDevice) {
  for (std::uint64_t seed = 11; seed <= 16; ++seed) {
    Random random(seed);
    Stream stream = random_stream(random, GpuMode::kThroughput);
    stream.config.fail_over = true;
    const std::string fault = seed % 2 == 0 ? "fail_work=" : "fail_launch=";
    const std::string setting = fault + std::to_string(between(random, 1, 12));
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << setting);
    configure(setting);
    const Outcome<float> shared = run<float>(stream, 3);
    EXPECT_THAT(shared.failure, HasSubstr("fail"));
    EXPECT_NE(shared.stats.fail_over_frame, Stats::kNone);
    EXPECT_EQ(shared.stats.lost_frames, 0);
    configure("");
    Stream on_cpu = stream;
    on_cpu.config.backend = "auto";
    on_cpu.config.gpu_mode = GpuMode::kWhole;
    const Outcome<float> cpu = run<float>(on_cpu, 1);
    for (std::size_t output = 0; output < cpu.out.size(); ++output) {
      double energy = 0;
      double error = 0;
      for (std::size_t n = 0; n < cpu.out[output].size(); ++n) {
        const double wanted = cpu.out[output][n];
        const double got = shared.out[output][n];
        ASSERT_EQ(std::isnan(wanted), std::isnan(got)) << "output " << output << ", frame " << n;
        if (std::isnan(wanted)) continue;
        energy += wanted * wanted;
        error += (wanted - got) * (wanted - got);
      }
      EXPECT_LE(error, 1e-12 * energy) << "output " << output;
    }
  }
}

// Silence for what a lost device owes is written by several threads as well.
TEST_F(SharedCopies, FallSilentTogether) {
  Random random(17);
  SCOPED_TRACE("seed 17");
  Stream stream = random_stream(random, GpuMode::kThroughput);
  stream.swaps_before = stream.calls.size();  // a lost device takes no bank
  configure("fail_launch=5");
  const Outcome<float> alone = run<float>(stream, 1);
  EXPECT_GT(alone.stats.lost_frames, 0);
  configure("fail_launch=5");
  expect_same(alone, run<float>(stream, 4));
}

}  // namespace
}  // namespace firbank
