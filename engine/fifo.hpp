// Fifo: a queue of a fixed capacity whose entries keep what they own.
//
// An entry is filled in place and read in place; what it holds stays there when it leaves, so that
// the next one in its slot finds its vectors already allocated.
//
// Thread:   one at a time.
// Realtime: everything but construction is safe.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank {

template <class T>
class Fifo {
 public:
  explicit Fifo(std::size_t capacity, const T& entry = {}) : slots_(capacity, entry) {}

  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == slots_.size(); }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return slots_.size(); }

  /// The entry that is now the newest. Not when full.
  T& push() noexcept { return at(size_++); }

  T& front() noexcept { return slots_[first_]; }

  /// The k-th oldest entry, from 0 on.
  T& at(std::size_t k) noexcept {
    const std::size_t place = first_ + k;
    return slots_[place < slots_.size() ? place : place - slots_.size()];
  }

  /// The oldest entry leaves; it can still be read until the next push().
  T& pop() noexcept {
    T& oldest = slots_[first_];
    if (++first_ == slots_.size()) first_ = 0;
    --size_;
    return oldest;
  }

 private:
  std::vector<T> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace firbank
