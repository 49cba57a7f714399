// What a plan says that it takes of a device's memory is what the backend allocates there, for any
// shape: what the plan knows of the backend is compared with the backend itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;

constexpr std::size_t kFilters = 3;

/// Outputs with one edge or none, rows, or edges anywhere.
Routing some_routing(Random& random) {
  const std::size_t inputs = between(random, 1, 12);
  const std::size_t outputs = between(random, 1, 40);
  const std::size_t most_delay = between(random, 0, 1) * 500;
  switch (between(random, 0, 3)) {
    case 0: {
      std::vector<Edge> edges{{}};
      for (std::size_t output = 1; output < outputs; ++output) {
        if (between(random, 0, 9) == 0) continue;
        edges.push_back({.input = between(random, 0, inputs - 1),
                         .filter = between(random, 0, kFilters - 1),
                         .output = output,
                         .delay = between(random, 0, most_delay)});
      }
      return Routing(inputs, outputs, edges);
    }
    case 1:
      return Routing::rows(outputs, 1);
    default: {
      const std::size_t edges = std::max(inputs, kFilters) + between(random, 0, 2 * outputs);
      return test::random_routing(random, inputs, outputs, kFilters, edges, most_delay);
    }
  }
}

enum class Form { kDirect, kTransforms, kLevels, kAny };

struct Shape {
  EngineConfig config;
  FilterBank bank;
  Routing routing;
  bool double_precision = false;
};

/// In all modes, forms and precisions.
Shape some_shape(Random& random) {
  EngineConfig config;
  config.backend = "cuda";
  config.block_frames = between(random, 1, 600);
  config.depth_blocks = between(random, 0, 3);
  config.ring_blocks = 8;
  config.gpu_mode = between(random, 0, 1) == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
  if (between(random, 0, 3) == 0) config.goal = PlanGoal::kOffline;
  if (between(random, 0, 2) == 0) config.spectra = Spectra::kInt16;
  const auto form = static_cast<Form>(between(random, 0, 3));
  if (form == Form::kDirect) test::want_direct_form(config);
  if (form == Form::kTransforms) test::want_transforms(config);
  if (form == Form::kLevels && config.goal == PlanGoal::kLive) {
    config.partition_frames = test::random_partition_frames(random, 64);
  }
  const std::size_t longest =
      form == Form::kDirect ? 1'024 : std::size_t{1} << between(random, 0, 15);
  const FilterBank bank = test::random_bank(
      random, {between(random, 1, longest), between(random, 1, longest), longest});
  Routing routing = some_routing(random);
  const bool in_double = config.spectra == Spectra::kFull && between(random, 0, 2) == 0;
  return {std::move(config), bank, std::move(routing), in_double};
}

class PlanMemory : public test::DeviceFixture {
 protected:
  struct Bytes {
    double planned = 0;
    double taken = 0;
  };

  Bytes bytes_of(const Shape& shape) {
    const auto bytes_with = [this]<class Sample>(const BasicEngine<Sample>& engine) -> Bytes {
      plan_ = engine.plan();
      test::FakeDeviceMemory memory{};
      control_->memory(&memory);
      return {static_cast<double>(plan_.memory_samples * sizeof(Sample)),
              static_cast<double>(memory.device_bytes)};
    };
    if (shape.double_precision) {
      return bytes_with(BasicEngine<double>(shape.config, shape.bank, shape.routing));
    }
    return bytes_with(Engine(shape.config, shape.bank, shape.routing));
  }

  PartitionPlan plan_;  // of the last one
};

TEST_F(PlanMemory, IsNeverLessThanWhatIsAllocated) {
  const std::uint64_t seeds = test::full_sweep() ? 3'000 : 200;
  for (const int multiprocessors : {1, 20, 132, 256}) {
    configure("multiprocessors=" + std::to_string(multiprocessors));
    for (std::uint64_t k = 0; k < seeds; ++k) {
      const std::uint64_t seed = 10'000 * static_cast<std::uint64_t>(multiprocessors) + k;
      Random random(seed);
      const Shape shape = some_shape(random);
      const Bytes bytes = bytes_of(shape);
      EXPECT_LE(bytes.taken, bytes.planned) << "seed " << seed << ", " << plan_.describe();
    }
  }
}

// On the largest device that plans reckon with. What is not told exactly are constants of
// transforms, a thousandth of what goes with them and some bytes, and items of thread blocks.
TEST_F(PlanMemory, IsHardlyMoreThanWhatIsAllocated) {
  configure("multiprocessors=256");
  const std::uint64_t seeds = test::full_sweep() ? 3'000 : 300;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const Shape shape = some_shape(random);
    const Bytes bytes = bytes_of(shape);
    EXPECT_LE(bytes.planned, 1.001 * bytes.taken + 1'000)
        << "seed " << seed << ", " << plan_.describe();
  }
}

}  // namespace
}  // namespace firbank
