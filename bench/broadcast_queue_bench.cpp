// A block from one writer to its readers: on one thread (the cost of the operations) and to a
// thread that reads for all of them, by readers and what the writer owes them. Items are blocks
// written.
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "io/broadcast_queue.hpp"

namespace {

using namespace firbank;
using Queue = BroadcastQueue<float>;

constexpr std::size_t kBlocks = 8;

std::vector<Queue::Reader> open_all(Queue& queue, std::int64_t count, bool lossless) {
  std::vector<Queue::Reader> readers;
  for (std::int64_t k = 0; k < count; ++k) {
    readers.push_back(*queue.open(lossless ? ReaderPolicy::kLossless : ReaderPolicy::kLossy));
  }
  return readers;
}

/// Whether there was a block.
bool read(Queue::Reader& reader) {
  std::uint64_t missed = 0;
  if (reader.try_take(missed) == nullptr) return false;
  reader.release();
  return true;
}

void same_thread(benchmark::State& state) {
  Queue queue(2, 64, kBlocks, static_cast<std::size_t>(state.range(0)));
  std::vector<Queue::Reader> readers = open_all(queue, state.range(0), state.range(1) != 0);
  for (auto _ : state) {
    queue.publish(queue.try_acquire());
    for (Queue::Reader& reader : readers) read(reader);
  }
  state.SetItemsProcessed(state.iterations());
}

/// The writer waits for lossless readers, and goes on without lossy ones. Wall time: the readers'
/// work is on the other core.
void other_thread(benchmark::State& state) {
  Queue queue(2, 64, kBlocks, static_cast<std::size_t>(state.range(0)));
  std::vector<Queue::Reader> readers = open_all(queue, state.range(0), state.range(1) != 0);
  std::atomic<bool> stop{false};
  std::thread others([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      for (Queue::Reader& reader : readers) read(reader);
    }
  });
  for (auto _ : state) {
    BasicBlock<float>* block = nullptr;
    while (block == nullptr) block = queue.try_acquire();
    queue.publish(block);
  }
  stop = true;
  others.join();
  state.SetItemsProcessed(state.iterations());
}

void axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"readers", "lossless"});
  for (const int readers : {1, 4, 16}) {
    for (const int lossless : {1, 0}) b->Args({readers, lossless});
  }
}
BENCHMARK(same_thread)->Apply(axes);
BENCHMARK(other_thread)->Apply(axes)->UseRealTime();

}  // namespace
