// BroadcastQueue: a lock-free ring of preallocated blocks from one writer to several readers, each
// with a cursor of its own.
//
// A reader that must not lose anything holds the writer back once it is a whole ring behind. Any
// other one is passed by: it finds itself further on, and is told how many blocks it has missed.
// Whether a reader lags, sleeps or has died, a writer that only such readers follow never waits.
//
// The ring holds the newest `blocks` blocks. What falls out of it may still be read by one reader
// that was slow, so there is one spare block for each reader, and the writer always finds one that
// nobody reads. A reader announces what it is about to read and then looks whether the ring still
// has it there; the writer takes it out of the ring and then looks whether it was announced. Both
// are sequentially consistent, so at least one of them sees the other, and samples are never torn.
//
// Realtime: everything but construction and destruction is safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/block.hpp"
#include "io/block_pool.hpp"
#include "io/error.hpp"

namespace firbank {

enum class ReaderPolicy {
  kLossless,  // the writer waits for it
  kLossy,     // the writer goes on without it
};

template <class Sample>
class BroadcastQueue {
  enum class State : std::uint32_t { kFree, kOpening, kLossless, kLossy };
  struct alignas(64) Cursor {
    std::atomic<State> state{State::kFree};
    std::atomic<std::uint64_t> next{0};  // number of the block to take next
  };

 public:
  /// `memory` must outlive the queue.
  /// Throws: Error when a count is 0 or all of them together do not fit in memory; what `memory`
  /// throws.
  BroadcastQueue(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
                 std::size_t readers,
                 std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : pool_(channels, frames_per_block, blocks == 0 ? 0 : blocks + readers, memory),
        users_(pool_.blocks()),
        ring_(blocks),
        cursors_(readers) {
    if (pool_.blocks() > kMostBlocks) {
      throw Error(ErrorKind::kConfiguration, "broadcast queue: blocks and readers together are " +
                                                 std::to_string(pool_.blocks()) +
                                                 "; allowed: up to " + std::to_string(kMostBlocks));
    }
    idle_.reserve(pool_.blocks());
    for (std::uint32_t index = 0; index < pool_.blocks(); ++index) idle_.push_back(index);
    for (std::atomic<std::uint64_t>& place : ring_) place.store(kNothing);
  }

  /// Thread:   any.
  std::size_t channels() const noexcept { return pool_.channels(); }
  std::size_t frames_per_block() const noexcept { return pool_.frames_per_block(); }
  std::size_t blocks() const noexcept { return ring_.size(); }

  /// Blocks that there are, spare ones included, and which of them this is.
  /// Thread:   any, of a block that it holds.
  std::size_t slots() const noexcept { return pool_.blocks(); }
  std::size_t slot_of(const BasicBlock<Sample>* block) const noexcept {
    return pool_.index_of(block);
  }

  /// A block of frames_per_block() frames with empty marks, to be filled and published; null while
  /// a lossless reader has not done with the block that lies `blocks` before it. Several may be
  /// held; they are published in the order in which they were acquired.
  /// Thread:   the writer.
  BasicBlock<Sample>* try_acquire() noexcept {
    if (acquired_ - published_.load(std::memory_order_relaxed) == blocks()) return nullptr;
    if (acquired_ >= blocks() && is_awaited(acquired_ - blocks())) return nullptr;
    std::atomic<std::uint64_t>& place = ring_[acquired_ % blocks()];
    const std::uint64_t old = place.exchange(kNothing, std::memory_order_seq_cst);
    if (old != kNothing) idle_.push_back(index_in(old));
    ++acquired_;
    // More blocks lie idle than there are readers, and each reads one at most.
    const auto free = std::find_if(idle_.begin(), idle_.end(), [&](std::uint32_t index) {
      return users_[index].count.load(std::memory_order_seq_cst) == 0;
    });
    assert(free != idle_.end());
    const std::uint32_t index = *free;
    *free = idle_.back();
    idle_.pop_back();
    return pool_.renew(index);
  }

  /// Hands the oldest acquired block to the readers.
  /// Thread:   the writer.
  void publish(const BasicBlock<Sample>* block) noexcept {
    const std::uint64_t number = published_.load(std::memory_order_relaxed);
    ring_[number % blocks()].store(entry(number, pool_.index_of(block)), std::memory_order_seq_cst);
    published_.store(number + 1, std::memory_order_release);
  }

  /// A place to read from. Its owner closes it by letting go of it; the queue must outlive it.
  class Reader {
   public:
    Reader(Reader&& other) noexcept
        : queue_(std::exchange(other.queue_, nullptr)),
          cursor_(other.cursor_),
          taken_(std::exchange(other.taken_, nullptr)),
          missed_(other.missed_),
          began_(other.began_) {}
    Reader& operator=(Reader&&) = delete;
    ~Reader() {
      if (queue_ == nullptr) return;
      if (taken_ != nullptr) release();
      cursor_->state.store(State::kFree, std::memory_order_release);
    }

    /// The next block, which stays as it is until release(); null when there is none yet. `missed`
    /// is how many blocks were lost since the one before: a reader that was passed by goes on in
    /// the middle of the ring, so that what it gets next is whole for a while.
    /// Thread:   the reader's.
    const BasicBlock<Sample>* try_take(std::uint64_t& missed) noexcept {
      assert(taken_ == nullptr);
      std::uint64_t number = cursor_->next.load(std::memory_order_relaxed);
      while (true) {
        const std::uint64_t published = queue_->published_.load(std::memory_order_acquire);
        if (number >= published) return nullptr;
        taken_ = queue_->announce(number);
        if (taken_ != nullptr) break;
        const std::uint64_t on =
            std::max(number + 1, published - std::min<std::uint64_t>(published, queue_->middle()));
        if (began_) missed_ += on - number;
        number = on;
        cursor_->next.store(number, std::memory_order_release);
      }
      began_ = true;
      missed = std::exchange(missed_, 0);
      return taken_;
    }

    /// Done with the block that was taken.
    /// Thread:   the reader's.
    void release() noexcept {
      queue_->users_[queue_->pool_.index_of(taken_)].count.fetch_sub(1, std::memory_order_release);
      taken_ = nullptr;
      const std::uint64_t number = cursor_->next.load(std::memory_order_relaxed);
      cursor_->next.store(number + 1, std::memory_order_release);
    }

    /// Which of the queue's readers this is, from 0.
    std::size_t index() const noexcept {
      return static_cast<std::size_t>(cursor_ - queue_->cursors_.data());
    }

   private:
    friend class BroadcastQueue;
    Reader(BroadcastQueue* queue, Cursor* cursor) noexcept : queue_(queue), cursor_(cursor) {}

    BroadcastQueue* queue_;
    Cursor* cursor_;
    const BasicBlock<Sample>* taken_ = nullptr;
    std::uint64_t missed_ = 0;  // and not yet told
    bool began_ = false;        // a block was taken: what is missing from then on is a loss
  };

  /// A reader of what is published from now on; nothing when all of them are open.
  /// Thread:   any.
  std::optional<Reader> open(ReaderPolicy policy) noexcept {
    for (Cursor& cursor : cursors_) {
      State free = State::kFree;
      if (!cursor.state.compare_exchange_strong(free, State::kOpening, std::memory_order_acq_rel)) {
        continue;
      }
      cursor.next.store(published_.load(std::memory_order_acquire), std::memory_order_relaxed);
      cursor.state.store(policy == ReaderPolicy::kLossless ? State::kLossless : State::kLossy,
                         std::memory_order_release);
      return Reader(this, &cursor);
    }
    return std::nullopt;
  }

 private:
  struct Users {
    std::atomic<std::uint32_t> count{0};
  };
  static constexpr std::uint64_t kNothing = std::numeric_limits<std::uint64_t>::max();
  static constexpr unsigned kIndexBits = 20;
  static constexpr std::size_t kMostBlocks = (std::size_t{1} << kIndexBits) - 1;

  /// What the ring holds of block `number`: which one it is, modulo 2^44, and where its samples
  /// are.
  static constexpr std::uint64_t entry(std::uint64_t number, std::uint32_t index) noexcept {
    return number << kIndexBits | index;
  }
  static constexpr std::uint32_t index_in(std::uint64_t entry) noexcept {
    return static_cast<std::uint32_t>(entry & ((1U << kIndexBits) - 1));
  }

  /// Whether a lossless reader has not done with block `number`.
  bool is_awaited(std::uint64_t number) const noexcept {
    return std::any_of(cursors_.begin(), cursors_.end(), [number](const Cursor& cursor) {
      return cursor.state.load(std::memory_order_acquire) == State::kLossless &&
             cursor.next.load(std::memory_order_acquire) <= number;
    });
  }

  /// Block `number`, which is not used for another one until its reader is done; null when it has
  /// left the ring.
  const BasicBlock<Sample>* announce(std::uint64_t number) noexcept {
    const std::atomic<std::uint64_t>& place = ring_[number % blocks()];
    const std::uint64_t there = place.load(std::memory_order_seq_cst);
    if (there == kNothing || there != entry(number, index_in(there))) return nullptr;
    Users& users = users_[index_in(there)];
    users.count.fetch_add(1, std::memory_order_seq_cst);
    if (place.load(std::memory_order_seq_cst) == there) return pool_.at(index_in(there));
    users.count.fetch_sub(1, std::memory_order_release);
    return nullptr;
  }

  std::uint64_t middle() const noexcept { return std::max<std::uint64_t>(blocks() / 2, 1); }

  BlockPool<Sample> pool_;
  std::vector<Users> users_;  // of each block: readers that read it, or are about to
  std::vector<std::atomic<std::uint64_t>> ring_;
  std::vector<Cursor> cursors_;
  std::vector<std::uint32_t> idle_;  // blocks that are not in the ring; the writer's
  std::uint64_t acquired_ = 0;       // the writer's
  alignas(64) std::atomic<std::uint64_t> published_{0};
};

}  // namespace firbank
