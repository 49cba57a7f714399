// One call of Engine::process by block, taps, channels and routing, on the best backend.
// x_realtime is stream time over processor time at 48 kHz; items are samples x taps.
//
// And what other filters cost: a call of one frame (change 0), the same after a swap of the whole
// bank (1), an update of one filter (2), and that with the call that follows it (3).
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/engine.hpp"

namespace {

using namespace firbank;

enum Shape : std::int64_t { kRows, kBank, kMatrix };

template <class Sample>
void engine_block(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const auto channels = static_cast<std::size_t>(state.range(1));
  const auto taps = static_cast<std::size_t>(state.range(2));
  const auto block = static_cast<std::size_t>(state.range(3));
  const std::size_t filters = shape == kMatrix ? channels * channels : channels;
  const Routing routing = shape == kRows   ? Routing::rows(channels, filters)
                          : shape == kBank ? Routing::bank(1, filters)
                                           : Routing::matrix(channels, channels, filters);
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<std::vector<double>> bank(filters, std::vector<double>(taps));
  for (auto& filter : bank) {
    for (double& tap : filter) tap = uniform(random);
  }
  EngineConfig config;
  config.block_frames = block;
  BasicEngine<Sample> engine(config, FilterBank(std::move(bank)), routing);

  std::vector<Sample> in(block), out(block * engine.outputs());
  for (Sample& sample : in) sample = static_cast<Sample>(uniform(random));
  const std::vector<const Sample*> in_planes(engine.inputs(), in.data());
  std::vector<Sample*> out_planes;
  for (std::size_t o = 0; o < engine.outputs(); ++o) out_planes.push_back(&out[o * block]);
  for (std::size_t n = 0; n < taps + block; n += block) {
    engine.process(in_planes.data(), out_planes.data(), block);
  }
  for (auto _ : state) engine.process(in_planes.data(), out_planes.data(), block);

  const double frames = static_cast<double>(block);
  state.counters["x_realtime"] =
      benchmark::Counter(frames / 48'000.0, benchmark::Counter::kIsIterationInvariantRate);
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(block * taps * routing.edges().size()));
  state.SetLabel(engine.backend() + ", " + engine.plan().describe());
}

void axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"shape", "channels", "taps", "block"});
  for (const std::int64_t block : {32, 64, 128, 256, 1'024}) {
    b->Args({kRows, 1, 2'048, block});
    b->Args({kRows, 2, 48'000, block});
  }
  b->Args({kRows, 1, 32, 64})->Args({kRows, 384, 512, 32})->Args({kRows, 64, 64, 64});
  b->Args({kBank, 32, 4'096, 256});
  for (const int block : {64, 128, 256, 512, 1'024}) b->Args({kRows, 2, 480'000, block});
  b->Args({kMatrix, 16, 8'192, 128})->Args({kMatrix, 16, 8'192, 256});
}
BENCHMARK(engine_block<float>)->Apply(axes);
BENCHMARK(engine_block<double>)->Apply(axes);

enum Change : std::int64_t { kCall, kSwapAndCall, kUpdate, kUpdateAndCall };

void changed_filters(benchmark::State& state) {
  const auto change = static_cast<Change>(state.range(0));
  const auto filters = static_cast<std::size_t>(state.range(1));
  const auto taps = static_cast<std::size_t>(state.range(2));
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<std::vector<double>> all(filters, std::vector<double>(taps));
  for (auto& filter : all) {
    for (double& tap : filter) tap = uniform(random);
  }
  const std::vector<double> other = all.front();
  const FilterBank bank(std::move(all));
  EngineConfig config;
  config.block_frames = 64;
  config.goal = state.range(3) != 0 ? PlanGoal::kOffline : PlanGoal::kLive;
  Engine engine(config, bank, Routing::bank(1, filters));

  float in = 1;
  std::vector<float> out(filters);
  const float* const in_plane = &in;
  std::vector<float*> out_planes;
  for (float& sample : out) out_planes.push_back(&sample);
  for (std::size_t n = 0; n < 2 * taps; ++n) engine.process(&in_plane, out_planes.data(), 1);
  std::size_t filter = 0;
  for (auto _ : state) {
    if (change == kSwapAndCall) engine.swap(bank, engine.position());
    if (change == kUpdate || change == kUpdateAndCall) engine.update(filter++ % filters, other);
    if (change != kUpdate) engine.process(&in_plane, out_planes.data(), 1);
  }
  state.SetLabel(engine.backend() + ", " + engine.plan().describe());
}
BENCHMARK(changed_filters)
    ->ArgNames({"change", "filters", "taps", "offline"})
    ->ArgsProduct(
        {{kCall, kSwapAndCall, kUpdate, kUpdateAndCall}, {100, 1'000}, {512, 8'192}, {0, 1}});

}  // namespace
