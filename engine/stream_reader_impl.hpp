// What a StreamReader is made of; for the pipeline, which opens them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/output_ring.hpp"
#include "engine/stream_reader.hpp"

namespace firbank {

template <class Sample>
class BasicStreamReader<Sample>::Impl {
 public:
  Impl(std::shared_ptr<OutputRing<Sample>> ring, typename BroadcastQueue<Sample>::Reader reader)
      : ring_(std::move(ring)),
        reader_(std::move(reader)),
        planes_(ring_->queue.channels()),
        expected_total_(ring_->frames.load(std::memory_order_relaxed)) {}
  ~Impl() {
    reader_.reset();
    ring_->freed.ring();  // the writer may have waited for this one
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  BasicBlock<const Sample> peek(std::size_t most_frames) noexcept;
  void advance(std::size_t frames) noexcept;
  bool wait(std::chrono::nanoseconds timeout) noexcept;

  std::int64_t missed_frames() const noexcept {
    return missed_frames_.load(std::memory_order_relaxed);
  }

 private:
  bool take() noexcept;
  void release() noexcept;

  std::shared_ptr<OutputRing<Sample>> ring_;
  std::optional<typename BroadcastQueue<Sample>::Reader> reader_;
  std::vector<const Sample*> planes_;
  const BasicBlock<Sample>* block_ = nullptr;   // that is being read
  std::size_t offset_ = 0;                      // frames of it that were read
  std::optional<std::int64_t> expected_frame_;  // behind the last block
  std::int64_t expected_total_;                 // of frames put out by then
  std::uint64_t resets_ = 0;                    // by then
  std::int64_t gap_before_ = 0;                 // of block_, or of the end
  BlockFlags first_flags_ = BlockFlags::kNone;  // of its first frame, or of the end
  bool ended_ = false;
  std::atomic<std::int64_t> missed_frames_{0};
};

}  // namespace firbank
