// A block through the ring and back: on one thread (the cost of the operations) and between two
// (the round trip that a pipeline pays), by channels and frames. Items are blocks.
#include <atomic>
#include <thread>

#include <benchmark/benchmark.h>

#include "io/block_queue.hpp"

namespace {

using namespace firbank;

void same_thread(benchmark::State& state) {
  BlockQueue queue(static_cast<std::size_t>(state.range(0)),
                   static_cast<std::size_t>(state.range(1)), 8);
  for (auto _ : state) {
    queue.publish(queue.try_acquire());
    queue.release(queue.try_take());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(same_thread)->ArgNames({"channels", "frames"})->Args({1, 32})->Args({384, 32});

/// The other thread returns each block at once. Wall time: half of it is the other core's.
void round_trip(benchmark::State& state) {
  const auto channels = static_cast<std::size_t>(state.range(0));
  const auto frames = static_cast<std::size_t>(state.range(1));
  BlockQueue there(channels, frames, 8), back(channels, frames, 8);
  std::atomic<bool> stop{false};
  std::thread echo([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      BasicBlock<float>* in = there.try_take();
      if (in == nullptr) continue;
      there.release(in);
      BasicBlock<float>* out = nullptr;
      while (out == nullptr) out = back.try_acquire();
      back.publish(out);
    }
  });
  for (auto _ : state) {
    BasicBlock<float>* out = nullptr;
    while (out == nullptr) out = there.try_acquire();
    there.publish(out);
    BasicBlock<float>* in = nullptr;
    while (in == nullptr) in = back.try_take();
    back.release(in);
  }
  stop = true;
  echo.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(round_trip)->ArgNames({"channels", "frames"})->Args({2, 64})->UseRealTime();

}  // namespace
