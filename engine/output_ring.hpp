// OutputRing: what a pipeline has put out, for its readers; see stream_reader.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory_resource>
#include <vector>

#include "engine/bell.hpp"
#include "io/broadcast_queue.hpp"

namespace firbank {

template <class Sample>
struct OutputRing {
  OutputRing(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
             std::size_t readers, double rate_hz, std::pmr::memory_resource* memory)
      : queue(channels, frames_per_block, blocks, readers, memory),
        sample_rate_hz(rate_hz),
        arrivals(readers) {}

  void publish(const BasicBlock<Sample>* block) noexcept {
    queue.publish(block);
    ring_arrivals();
  }
  /// Nothing more will be published.
  void close() noexcept {
    closed.store(true);
    ring_arrivals();
  }
  void ring_arrivals() noexcept {
    for (TimedBell& arrival : arrivals) arrival.ring();
  }

  BroadcastQueue<Sample> queue;
  double sample_rate_hz;
  Bell freed;                       // rung when a reader is done with a block
  std::vector<TimedBell> arrivals;  // of each reader: rung when there is another block
  std::atomic<bool> closed{false};
};

}  // namespace firbank
