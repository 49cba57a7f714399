// PathSwitch: the path that a live stream hears, and the way from one to another without a click.
//
// Another path is made beside the one that is heard, and hears the kept past as fast as it can. The
// callback then lets it hear the few frames that came meanwhile, and crossfades from the old path
// to the new one, both wet and dry. What is left of the old one is freed by the owner.
//
// Where the two differ in latency, the fade is between two signals that are apart by the
// difference; each is whole by itself.
//
// Thread:   process(), wet(), dry(): the callback's. restart(): the owner's, while no callback can
//           come. read() and the readings: any. Everything else: the owner's.
// Realtime: process() is safe as LivePath::process(). read() never locks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/crossfade.hpp"
#include "engine/handoff.hpp"
#include "engine/live_history.hpp"
#include "engine/live_path.hpp"

namespace firbank {

class PathSwitch {
 public:
  /// Keeps the newest `past_frames` frames of input for a path that comes later; 0: none can.
  PathSwitch(std::unique_ptr<LivePath> first, std::size_t past_frames);
  ~PathSwitch();
  PathSwitch(const PathSwitch&) = delete;
  PathSwitch& operator=(const PathSwitch&) = delete;

  /// At most max_frames(). wet() and dry() are the answer until the next call.
  void process(const float* const* in, std::size_t frames) noexcept;
  float* const* wet() const noexcept { return wet_; }
  const float* const* dry() const noexcept { return dry_; }
  std::size_t max_frames() const noexcept { return max_frames_; }
  /// LivePath::missing_frames() of the stream. Thread: the callback's.
  std::int64_t missing_frames() const noexcept;

  /// Has `next` hear the last `past_frames` frames, or what there is of them, and hands it to the
  /// callback, which fades to it over `crossfade_frames`. Not while is_changing(). Throws: Error
  /// when it is too slow for the stream: nothing has changed then.
  void change_to(std::unique_ptr<LivePath> next, std::size_t past_frames,
                 std::size_t crossfade_frames);
  bool is_changing() const noexcept { return changing_.load(std::memory_order_acquire); }
  /// The one that is coming, or null.
  LivePath* coming() noexcept { return is_changing() ? coming_ : nullptr; }
  LivePath& heard() noexcept { return *heard_.load(); }
  const LivePath& heard() const noexcept { return *heard_.load(); }
  std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_relaxed); }

  /// Frees paths that are not heard any more; last(path) is called before each.
  template <class Last>
  void free_old(Last&& last) {
    leaving_.collect([&](LivePath& path) {
      last(path);
      wait_for_readers();
    });
  }

  /// Forgets the past; what is coming is heard from here on.
  void restart();

  /// What `look` gives for the path that is heard, which stays there meanwhile.
  template <class Look>
  auto read(Look&& look) const {
    const Reader reader(readers_);
    return look(static_cast<const LivePath&>(*heard_.load()));
  }

 private:
  /// Counts who reads. Sequentially consistent, as is the change of heard_: a reader that comes
  /// after the wait for readers finds the new path.
  class Reader {
   public:
    explicit Reader(std::atomic<int>& readers) noexcept : readers_(readers) { ++readers_; }
    ~Reader() { --readers_; }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

   private:
    std::atomic<int>& readers_;
  };

  void hear_past(LivePath& path);
  bool follow(const float* const* in, std::size_t frames) noexcept;
  void mix(std::size_t frames) noexcept;
  void take_over() noexcept;
  void retire_old() noexcept;
  void wait_for_readers() const noexcept;

  std::size_t max_frames_;
  std::size_t inputs_;
  std::size_t outputs_;
  LiveHistory history_;
  bool keeps_past_;

  std::atomic<LivePath*> heard_;  // owned
  mutable std::atomic<int> readers_{0};
  std::atomic<std::uint64_t> changes_{0};
  std::atomic<bool> changing_{false};
  LivePath* coming_ = nullptr;        // the owner's; while changing_
  std::size_t crossfade_frames_ = 0;  // of the hand-over, written before it
  Handoff<LivePath> given_{1};
  Handoff<LivePath> leaving_{4};

  // The callback's.
  LivePath* next_ = nullptr;
  LivePath* old_ = nullptr;  // replaced by the last call, whose answer lies in it
  bool fading_ = false;
  Crossfade fade_;
  std::int64_t frame_ = 0;  // of the part
  float* const* wet_ = nullptr;
  const float* const* dry_ = nullptr;
  std::vector<float> past_samples_;
  std::vector<float*> past_;
  std::vector<float> dry_samples_;
  std::vector<float*> dry_mix_;
};

}  // namespace firbank
