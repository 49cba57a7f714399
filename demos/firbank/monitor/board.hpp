// Board: where a run's loop leaves what others may look at.
//
// Thread: any; who puts waits for the copy that another one takes, at most.
#pragma once

#include <mutex>
#include <utility>

namespace firbank::program {

template <class Value>
class Board {
 public:
  explicit Board(Value value) : value_(std::move(value)) {}

  void put(Value value) {
    const std::lock_guard lock(mutex_);
    std::swap(value_, value);  // what was there is freed behind the lock
  }
  Value get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  Value value_;
};

}  // namespace firbank::program
