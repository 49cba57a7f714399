// Pipeline: the thread between two rings that Engine::start/push/pull/stop drive.
//
// push() copies frames into free blocks of the input ring; the pipeline thread filters each block
// and passes it on through the output ring; pull() copies frames out. A full output ring stops the
// thread, a full input ring stops push(): nothing is dropped. The sides wake each other only when
// one of them sleeps.
//
// Threads and real-time rules are those that engine.hpp gives for the methods of the same names.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "engine/head_and_tail.hpp"
#include "io/block_queue.hpp"

namespace firbank {

template <class Sample>
class Pipeline {
 public:
  Pipeline(HeadAndTail<Sample>& convolver, const EngineConfig& config, std::size_t inputs,
           std::size_t outputs);
  ~Pipeline();

  PushResult push(const BasicBlock<const Sample>& block) noexcept;
  bool flush() noexcept;
  std::size_t pull(BasicBlock<Sample>& block) noexcept;

 private:
  /// Lets the thread sleep until another has done something. Ringing costs a system call only while
  /// the thread sleeps.
  class Bell {
   public:
    std::uint32_t rings() const noexcept { return rings_.load(); }
    void ring() noexcept {
      rings_.fetch_add(1);
      if (sleeping_.load()) rings_.notify_one();
    }
    /// Returns once there were more rings than `seen`.
    void sleep(std::uint32_t seen) noexcept {
      sleeping_.store(true);
      rings_.wait(seen);
      sleeping_.store(false);
    }

   private:
    std::atomic<std::uint32_t> rings_{0};
    std::atomic<bool> sleeping_{false};
  };

  void run() noexcept;
  void run_blocks() noexcept;
  BasicBlock<Sample>* next_input() noexcept;
  BasicBlock<Sample>* next_output() noexcept;
  void follow_gap(const BasicBlock<Sample>& block) noexcept;
  void fill(std::int64_t frames, std::int64_t timestamp_ns) noexcept;
  void filter(const BasicBlock<Sample>& block) noexcept;
  void submit(const Sample* const* in, BasicBlock<Sample>* out) noexcept;
  void publish_oldest() noexcept;
  void publish_all() noexcept;
  void drain() noexcept;

  HeadAndTail<Sample>& convolver_;
  EngineConfig config_;
  std::size_t inputs_;
  BasicBlockQueue<Sample> input_;
  BasicBlockQueue<Sample> output_;
  Bell filled_;  // rung when the input ring has got a block
  Bell freed_;   // rung when the output ring has got room
  std::atomic<bool> stop_{false};

  // Producer's.
  std::optional<std::int64_t> expected_frame_;
  bool flushed_ = false;

  // Consumer's: the block being copied out.
  BasicBlock<Sample>* pulled_ = nullptr;
  std::size_t pulled_frames_ = 0;
  bool ended_ = false;

  // The thread's.
  bool began_ = false;
  std::int64_t pending_gap_ = 0;  // to be told with the next output block
  BlockFlags pending_flags_ = BlockFlags::kNone;
  std::vector<Sample> held_;  // last sample of each input
  std::vector<Sample> fill_samples_;
  std::vector<const Sample*> fill_planes_;
  std::vector<BasicBlock<Sample>*> under_way_;  // a ring of submitted blocks
  std::size_t submitted_ = 0;
  std::size_t published_ = 0;

  std::thread thread_;
};

extern template class Pipeline<float>;
extern template class Pipeline<double>;

}  // namespace firbank
