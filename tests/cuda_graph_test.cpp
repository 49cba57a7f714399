// The graphs that the CUDA backend makes, on the fake device: what waits for what, and that no
// order which their edges allow changes a sample.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/convolver.hpp"
#include "engine/engine.hpp"
#include "engine/planner.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/host_graph.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/seen_graphs.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using cuda::Kernel;
using test::HostGraph;
using test::is_of;
using test::Random;
using test::SeenGraphs;

constexpr std::size_t kBlock = 64;

/// Filters of 2 x 3 connections, in a plan of some levels, on the device.
struct Case {
  std::vector<std::size_t> partition_frames;
  std::size_t taps = 0;
  Spectra spectra = Spectra::kFull;
};

const Case kPlain{{kBlock}, 600};
const Case kLevels{{kBlock, 2 * kBlock, 4 * kBlock}, 1'500};
// With passes over global memory in the first level, and in a later one.
const Case kLong{{8'192}, 10'000};
const Case kLongLater{{512, 8'192}, 20'000};

class CudaGraphTest : public test::DeviceFixture {
 protected:
  static EngineConfig config_of(const Case& which) {
    EngineConfig config;
    config.block_frames = which.partition_frames.front();
    config.max_frames = 0;
    config.backend = "cuda";
    config.fail_over = false;
    config.partition_frames = which.partition_frames;
    config.spectra = which.spectra;
    return config;
  }

  static FilterBank bank_of(const Case& which, Random& random) {
    return test::random_bank(random, std::vector<std::size_t>(6, which.taps));
  }

  static std::unique_ptr<Convolver<float>> convolver(const firbank_device_api& api,
                                                     const Case& which, const FilterBank& bank) {
    const EngineConfig config = config_of(which);
    const Routing routing = Routing::matrix(2, 3, 6);
    return std::make_unique<Convolver<float>>(std::make_shared<CudaBackend>(api, CudaOptions{}),
                                              choose_plan(config, bank, routing, {.shares = false}),
                                              config, bank, routing);
  }

  /// What a stream gives, or nothing when the device fails.
  static std::optional<Signal> stream(Convolver<float>& convolver, const Signal& in,
                                      const std::vector<std::size_t>& calls) {
    test::Planes<float> input(in);
    test::Planes<float> output(3, in[0].size());
    std::size_t position = 0;
    for (const std::size_t frames : calls) {
      if (convolver.process(input.from(position), output.from(position), frames) !=
          ProcessStatus::kOk) {
        return std::nullopt;
      }
      position += frames;
    }
    return output.signal();
  }
};

/// The call that tells the host of the newest block's answer.
std::size_t answer_of(const HostGraph& graph) {
  for (std::size_t number = 0; number < graph.size(); ++number) {
    if (!is_of(graph, number, Kernel::kRender) && !is_of(graph, number, Kernel::kInverseOuter)) {
      continue;
    }
    const auto* params = static_cast<const cuda::RenderParams<float>*>(graph.call(number).params);
    if (params->signals == 1) return number;
  }
  ADD_FAILURE() << "nothing tells of the answer";
  return 0;
}

TEST_F(CudaGraphTest, AllGraphsTakeTheirCommandFirstAndEndWhenAllIsDone) {
  SeenGraphs seen(*device_plugin().api);
  for (const Case& which : {kPlain, kLevels, kLong, kLongLater}) {
    seen.leave_out({});
    Random random(1);
    const FilterBank bank = bank_of(which, random);
    const auto made = convolver(seen.api(), which, bank);
    // One for the forwards of each number of levels, and two of the bank.
    ASSERT_EQ(seen.graphs().size(), which.partition_frames.size() + 2);
    for (const HostGraph& graph : seen.graphs()) {
      const std::size_t last = graph.size() - 1;
      ASSERT_TRUE(is_of(graph, 0, Kernel::kBegin));
      ASSERT_TRUE(is_of(graph, last, Kernel::kEnd));
      for (std::size_t number = 1; number < last; ++number) {
        EXPECT_TRUE(graph.leads(0, number)) << number;
        EXPECT_TRUE(graph.leads(number, last)) << number;
      }
      EXPECT_TRUE(graph.leads(0, last));
    }
  }
}

// What the host waits for competes with nothing, and all levels behind it are side by side.
TEST_F(CudaGraphTest, TheNewestBlocksAnswerComesFirstAndAloneAndLevelsAreBranches) {
  SeenGraphs seen(*device_plugin().api);
  for (const Case& which : {kPlain, kLevels, kLong, kLongLater}) {
    seen.leave_out({});
    Random random(2);
    const FilterBank bank = bank_of(which, random);
    const auto made = convolver(seen.api(), which, bank);
    const std::size_t levels = which.partition_frames.size();
    for (std::size_t made_as = levels; made_as < levels + 2; ++made_as) {
      const HostGraph& graph = seen.graphs()[made_as];
      const std::size_t answer = answer_of(graph);
      EXPECT_TRUE(graph.runs_alone(answer));
      std::vector<std::size_t> sums;
      for (std::size_t number = 0; number < graph.size(); ++number) {
        if (is_of(graph, number, Kernel::kAccumulate)) sums.push_back(number);
      }
      ASSERT_EQ(sums.size(), levels);
      for (const std::size_t a : sums) {
        EXPECT_TRUE(graph.leads(answer, a));
        for (const std::size_t b : sums) EXPECT_EQ(graph.side_by_side(a, b), a != b);
      }
    }
  }
}

TEST_F(CudaGraphTest, NoOrderOfKernelsChangesASample) {
  for (const Case& which : {kPlain, kLevels, kLong, kLongLater}) {
    Random random(3);
    SCOPED_TRACE(testing::Message() << "seed 3, " << which.taps << " taps");
    const FilterBank bank = bank_of(which, random);
    const Signal in = test::random_signal(random, 2, 1'000 + 3 * which.taps / 2);
    const auto calls = test::random_calls(random, in[0].size(), which.partition_frames.front(),
                                          which.partition_frames.front());
    std::optional<Signal> first;
    for (int seed = 1; seed <= 4; ++seed) {
      configure("seed=" + std::to_string(1'000 * seed));
      const auto out = stream(*convolver(*device_plugin().api, which, bank), in, calls);
      ASSERT_TRUE(out) << "order " << seed;
      if (!first) first = out;
      EXPECT_EQ(*out, *first) << "order " << seed;
    }
    EXPECT_TRUE(test::follows(
        *first, direct_convolution(in, bank, Routing::matrix(2, 3, 6), in[0].size()), 1e-6));
  }
}

// Swaps and fades launch graphs of two banks, in all precisions and both ways of sending samples.
TEST_F(CudaGraphTest, KernelsSideBySideNeverMeetInMemory) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    configure("seed=" + std::to_string(1'000 * seed));
    Case which = std::array{kPlain, kLevels, kLong, kLongLater}[seed % 4];
    if (seed % 3 == 0) which.spectra = Spectra::kInt16;
    EngineConfig config = config_of(which);
    config.gpu_mode = seed / 4 % 2 == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    const FilterBank bank = bank_of(which, random);
    const FilterBank next = bank_of(which, random);
    const Routing routing = Routing::matrix(2, 3, 6);
    const std::size_t frames = 1'000 + 3 * which.taps / 2;
    const Signal in = test::random_signal(random, 2, frames);
    const std::size_t at = test::between(random, 0, frames / 2);
    const std::size_t fade = test::between(random, 0, 500);
    const auto calls = test::random_calls(random, frames, config.block_frames, config.block_frames);
    const Signal heard = test::with_changes(
        direct_convolution(in, bank, routing, frames),
        {{direct_convolution(in, next, routing, frames), static_cast<std::int64_t>(at), fade}});
    const auto run = [&](auto engine, double limit) {
      engine->swap(next, static_cast<std::int64_t>(at), fade);
      EXPECT_TRUE(test::follows(test::run_process(*engine, in, calls), heard, limit));
      EXPECT_EQ(engine->failure(), "");
    };
    if (which.spectra == Spectra::kInt16) {
      run(std::make_unique<Engine>(config, bank, routing), 3.16e-5);
    } else if (seed % 5 == 0) {
      run(std::make_unique<BasicEngine<double>>(config, bank, routing), 1e-13);
    } else {
      run(std::make_unique<Engine>(config, bank, routing), 1e-6);
    }
  }
}

}  // namespace
}  // namespace firbank
