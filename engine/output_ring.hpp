// OutputRing: what a pipeline has put out, for its readers; see stream_reader.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "engine/bell.hpp"
#include "io/broadcast_queue.hpp"

namespace firbank {

/// What came before a block, whoever has read it.
struct OutputTotals {
  std::int64_t frames = 0;   // that were put out before it
  std::uint64_t resets = 0;  // of the history, up to its first frame
};

template <class Sample>
struct OutputRing {
  OutputRing(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
             std::size_t readers, double rate_hz, std::pmr::memory_resource* memory)
      : queue(channels, frames_per_block, blocks, readers, memory),
        sample_rate_hz(rate_hz),
        totals(queue.slots()),
        arrivals(readers) {}

  // Thread: the writer.
  void publish(const BasicBlock<Sample>* block) noexcept {
    if (has(block->flags, BlockFlags::kReset)) ++put_out.resets;
    totals[queue.slot_of(block)] = put_out;
    put_out.frames += static_cast<std::int64_t>(block->frames);
    frames.store(put_out.frames, std::memory_order_relaxed);
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
  OutputTotals put_out;                 // the writer's
  std::atomic<std::int64_t> frames{0};  // put_out.frames, for who opens a reader
  std::vector<OutputTotals> totals;     // of each slot, as its block
  Bell freed;                           // rung when a reader is done with a block
  std::vector<TimedBell> arrivals;      // of each reader: rung when there is another block
  std::atomic<bool> closed{false};
};

}  // namespace firbank
