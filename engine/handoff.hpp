// Handoff: objects given to the real-time thread and taken back from it, without waiting.
//
// The control thread gives; the real-time thread takes, uses, and retires; the control thread
// destroys what was retired the next time it collects. The real-time thread never frees anything.
//
// Thread:   give() and collect(): one control thread. take() and retire(): one real-time thread.
// Realtime: take() and retire() are safe.
#pragma once

#include <cstddef>
#include <memory>

#include <readerwriterqueue/readerwriterqueue.h>

namespace firbank {

template <class T>
class Handoff {
 public:
  /// At most `capacity` objects may exist between give() and collect(); its user sees to that.
  explicit Handoff(std::size_t capacity) : given_(capacity), retired_(capacity) {}

  ~Handoff() {
    collect();
    T* left = nullptr;
    while (given_.try_dequeue(left)) delete left;
  }

  bool give(std::unique_ptr<T> object) {
    if (!given_.try_enqueue(object.get())) return false;
    [[maybe_unused]] const T* in_the_queue = object.release();
    return true;
  }

  void collect() {
    collect([](T&) {});
  }
  /// Calls last(object) before each is destroyed.
  template <class Last>
  void collect(Last&& last) {
    T* object = nullptr;
    while (retired_.try_dequeue(object)) {
      const std::unique_ptr<T> owned(object);
      last(*owned);
    }
  }

  /// The oldest object given, or null.
  T* take() noexcept {
    T* object = nullptr;
    given_.try_dequeue(object);
    return object;
  }

  void retire(T* object) noexcept { retired_.try_enqueue(object); }

 private:
  moodycamel::ReaderWriterQueue<T*> given_;
  moodycamel::ReaderWriterQueue<T*> retired_;
};

}  // namespace firbank
