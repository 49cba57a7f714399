// StreamRecorder: writes what a real-time thread offers to a sink, from a thread of its own.
//
// Blocks travel through a lock-free ring of fixed size. When the disk is slower than the stream for
// longer than the ring lasts, offer() drops frames and write() waits. What is dropped is counted,
// and silence stands in its place, so that what follows stays where it belongs.
//
// Thread:   offer(), write(), skip(): one thread. finish(): the owner's. The counts: any.
// Realtime: offer() and skip() are safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "io/block_queue.hpp"
#include "io/endpoint.hpp"

namespace firbank {

class StreamRecorder {
 public:
  /// `seconds`: what the ring holds, at `sample_rate_hz`. `sink` takes `channels` channels.
  /// Throws: Error when a count is 0; std::system_error when the thread cannot be started.
  StreamRecorder(std::unique_ptr<Sink> sink, std::size_t channels, double sample_rate_hz,
                 double seconds = 4);
  /// Without finish() the sink leaves nothing behind.
  ~StreamRecorder();
  StreamRecorder(const StreamRecorder&) = delete;
  StreamRecorder& operator=(const StreamRecorder&) = delete;

  /// Frames of all channels: the planes of `first`, then those of `second`. What there is no room
  /// for is dropped.
  void offer(const float* const* first, std::size_t first_channels, const float* const* second,
             std::size_t second_channels, std::size_t frames) noexcept;

  /// Frames of all channels. Where there is no room it waits, as long as the sink takes something
  /// at least once in `patience`; what there is no room for then is dropped.
  void write(const float* const* planes, std::size_t frames, std::chrono::milliseconds patience);

  /// Silence for frames that nobody has, before what is offered next: any number, in no room.
  void skip(std::int64_t frames) noexcept;

  /// Writes what is on its way and completes the sink; nothing may be offered any more. Throws:
  /// Error (kOutput), also that of an earlier write: then the sink is completed with what it took
  /// before.
  void finish();

  /// That the sink has taken, with silence.
  std::int64_t written_frames() const noexcept { return written_frames_.load(); }
  /// Counted from the first frame offered, with what was skipped.
  std::int64_t dropped_frames() const noexcept { return dropped_frames_.load(); }
  std::int64_t first_dropped_frame() const noexcept {
    return first_dropped_frame_.load();
  }  // or -1
  /// Whether a write failed: from then on everything is dropped, and finish() says why.
  bool has_failed() const noexcept { return failed_.load(); }

 private:
  void run();
  void drop(std::size_t frames) noexcept;
  void publish_open_block() noexcept;
  bool open_a_block() noexcept;
  bool await_block(std::chrono::milliseconds patience);
  void put(const Block& block);
  void put_silence(std::int64_t frames);
  void end_thread() noexcept;

  std::unique_ptr<Sink> sink_;
  BlockQueue queue_;
  Block* open_block_ = nullptr;  // being filled
  std::size_t open_frames_ = 0;
  std::int64_t gap_ = 0;  // dropped or skipped since the last block
  std::int64_t offered_ = 0;
  std::int64_t given_up_at_ = -1;  // written_frames() when write() last waited in vain
  std::atomic<std::int64_t> written_frames_{0};
  std::atomic<std::int64_t> dropped_frames_{0};
  std::atomic<std::int64_t> first_dropped_frame_{-1};
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;  // the thread's until it has ended
  std::vector<float> silence_;
  std::vector<const float*> planes_;
  std::thread thread_;
};

}  // namespace firbank
