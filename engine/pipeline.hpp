// Pipeline: the thread between two rings that Engine::start/push/pull/stop drive.
//
// push() puts frames into free blocks of the input ring; the pipeline thread filters each block and
// passes it on through the output ring, from which any number of readers take it. An output ring
// that is full to a lossless reader stops the thread, a full input ring stops push(): nothing is
// dropped. The sides wake each other only when one of them sleeps.
//
// Threads and real-time rules are those that engine.hpp gives for the methods of the same names.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/bell.hpp"
#include "engine/head_and_tail.hpp"
#include "engine/output_ring.hpp"
#include "engine/push_intake.hpp"
#include "engine/start_up.hpp"
#include "engine/stream_reader.hpp"
#include "io/block_queue.hpp"

namespace firbank {

template <class Sample>
class Pipeline {
 public:
  /// All that is referred to outlives this.
  Pipeline(HeadAndTail<Sample>& convolver, const EngineConfig& config, PushIntake& intake,
           StartUp& start_up, std::size_t inputs, std::size_t outputs);
  ~Pipeline();

  /// The frames that `marks` tells of, which `write` writes: see BasicEngine::push().
  PushResult push(const PushMarks& marks, PushFill<Sample> write, void* context) noexcept;
  bool flush() noexcept;
  std::optional<BasicStreamReader<Sample>> open_reader(ReaderPolicy policy);

 private:
  void run() noexcept;
  void run_blocks() noexcept;
  BasicBlock<Sample>* next_input() noexcept;
  BasicBlock<Sample>* next_output() noexcept;
  void follow_gap(const BasicBlock<Sample>& block) noexcept;
  void fill(std::int64_t frames, std::int64_t timestamp_ns) noexcept;
  void filter(const BasicBlock<Sample>& block) noexcept;
  void begin_at(std::int64_t first_frame) noexcept;
  void mark_transient(BasicBlock<Sample>& out) noexcept;
  void submit(const Sample* const* in, BasicBlock<Sample>* out) noexcept;
  void publish_oldest() noexcept;
  void publish(BasicBlock<Sample>* out) noexcept;
  void publish_all() noexcept;
  void drain() noexcept;

  HeadAndTail<Sample>& convolver_;
  EngineConfig config_;
  PushIntake& intake_;
  StartUp& start_up_;  // the thread's
  std::size_t inputs_;
  std::size_t outputs_;
  BasicBlockQueue<Sample> input_;
  std::shared_ptr<OutputRing<Sample>> output_;  // whose readers may outlive this
  Bell filled_;                                 // rung when the input ring has got a block
  std::atomic<bool> stop_{false};

  // Producer's.
  std::optional<std::int64_t> expected_frame_;
  bool flushed_ = false;

  // The thread's.
  bool began_ = false;
  std::int64_t pending_gap_ = 0;  // to be told with the next output block
  BlockFlags pending_flags_ = BlockFlags::kNone;
  std::vector<Sample> held_;  // last sample of each input
  std::vector<Sample> fill_samples_;
  std::vector<const Sample*> fill_planes_;
  std::vector<const Sample*> part_planes_;
  std::vector<BasicBlock<Sample>*> under_way_;  // a ring of submitted blocks
  std::size_t submitted_ = 0;
  std::size_t published_ = 0;

  std::thread thread_;
};

extern template class Pipeline<float>;
extern template class Pipeline<double>;

}  // namespace firbank
