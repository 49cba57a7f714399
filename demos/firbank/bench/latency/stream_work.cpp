#include "demos/firbank/bench/latency/stream_work.hpp"

#include <algorithm>
#include <chrono>
#include <random>

#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/interrupt.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kBuffers = 4;
// The pipeline's thread has answered by then, or never will.
constexpr std::chrono::seconds kPatience{5};

/// Notes the time since `begin_ns` for a stage, and returns the time now.
std::int64_t note(BlockTimes& times, BlockStage stage, std::int64_t begin_ns) noexcept {
  const std::int64_t end_ns = now_ns();
  times[stage] = static_cast<std::uint64_t>(end_ns - begin_ns);
  return end_ns;
}

template <class Sample>
void copy_planes(const Sample* const* from, Sample* const* to, std::size_t channels,
                 std::size_t frames) noexcept {
  for (std::size_t c = 0; c < channels; ++c) std::copy_n(from[c], frames, to[c]);
}

template <class Sample>
std::unique_ptr<PlanarBuffer<Sample>> noise_block(std::size_t channels, std::size_t frames,
                                                  std::uint64_t seed) {
  auto buffer = std::make_unique<PlanarBuffer<Sample>>(channels, frames);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<Sample> uniform(-1, 1);
  for (std::size_t c = 0; c < channels; ++c) {
    std::generate_n(buffer->plane(c), frames, [&] { return uniform(random); });
  }
  return buffer;
}

}  // namespace

template <class Sample>
StreamWork<Sample>::StreamWork(BasicEngine<Sample>& engine, std::size_t block_frames, Drive drive,
                               Injected injected)
    : engine_(engine),
      block_frames_(block_frames),
      drive_(drive),
      injected_(injected),
      on_device_(!engine.backend().starts_with("cpu")),
      in_(engine.inputs(), block_frames),
      out_(engine.outputs(), block_frames),
      leaving_(engine.outputs(), block_frames) {
  for (std::size_t n = 0; n < kBuffers; ++n) {
    arriving_.push_back(noise_block<Sample>(engine.inputs(), block_frames, n + 1));
  }
  if (drive_ == Drive::kPipeline) {
    const SignalsForMainThread guard;
    engine_.start();
    reader_ = engine_.open_reader(ReaderPolicy::kLossless);
    engine_.stop_pulling();
  }
}

template <class Sample>
StreamWork<Sample>::~StreamWork() {
  reader_.reset();
  if (drive_ == Drive::kPipeline) engine_.stop();
}

template <class Sample>
void StreamWork<Sample>::fill() {
  const std::vector<LevelPlan>& levels = engine_.plan().levels;
  const std::size_t longest = levels.empty() ? 0 : levels.back().block_frames;
  const std::size_t frames = engine_.tail_frames() + 2 * longest;
  const std::size_t blocks = frames / block_frames_ + kBuffers + 1;
  BlockTimes times;
  times.number = -1;
  for (std::size_t n = 0; n < blocks; ++n) work(times);
}

template <class Sample>
void StreamWork<Sample>::work(BlockTimes& times) noexcept {
  const Sample* const* const in = arriving_[turn_++ % kBuffers]->planes();
  if (drive_ == Drive::kProcess) {
    process(times, in);
  } else {
    push_and_pull(times, in);
  }
}

template <class Sample>
void StreamWork<Sample>::process(BlockTimes& times, const Sample* const* in) noexcept {
  std::int64_t at_ns = now_ns();
  copy_planes<Sample>(in, in_.planes(), engine_.inputs(), block_frames_);
  at_ns = note(times, BlockStage::kIngest, at_ns);
  if (on_device_) {
    whole_ = engine_.submit(in_.planes(), out_.planes(), block_frames_) && whole_;
    at_ns = note(times, BlockStage::kToDevice, at_ns);
    whole_ = engine_.collect() == ProcessStatus::kOk && whole_;
  } else {
    whole_ =
        engine_.process(in_.planes(), out_.planes(), block_frames_) == ProcessStatus::kOk && whole_;
  }
  at_ns = end_computing(times, at_ns);
  copy_planes<Sample>(out_.planes(), leaving_.planes(), engine_.outputs(), block_frames_);
  note(times, BlockStage::kPublish, at_ns);
}

template <class Sample>
void StreamWork<Sample>::push_and_pull(BlockTimes& times, const Sample* const* in) noexcept {
  std::int64_t at_ns = now_ns();
  BasicBlock<const Sample> block;
  block.planes = in;
  block.channels = engine_.inputs();
  block.frames = block_frames_;
  block.first_frame = pushed_;
  whole_ = engine_.push(block).frames == block_frames_ && whole_;
  pushed_ += static_cast<std::int64_t>(block_frames_);
  at_ns = note(times, BlockStage::kIngest, at_ns);
  // The first blocks of an engine that keeps some under way have no answer yet.
  const auto latency = static_cast<std::int64_t>(engine_.latency_frames());
  if (pushed_ <= latency) return;
  whole_ = reader_->wait(kPatience) && whole_;
  at_ns = end_computing(times, at_ns);
  std::size_t taken = 0;
  while (whole_ && taken < block_frames_) {
    const BasicBlock<const Sample> part = reader_->read(
        block_frames_ - taken, [&](const BasicBlock<const Sample>& some, std::size_t offset) {
          for (std::size_t c = 0; c < engine_.outputs(); ++c) {
            std::copy_n(some.planes[c], some.frames, leaving_.plane(c) + taken + offset);
          }
        });
    whole_ = !has(part.flags, BlockFlags::kLost);
    taken += part.frames;
    if (taken < block_frames_ && part.frames == 0) whole_ = reader_->wait(kPatience) && whole_;
  }
  note(times, BlockStage::kPublish, at_ns);
}

template <class Sample>
std::int64_t StreamWork<Sample>::end_computing(BlockTimes& times,
                                               std::int64_t begin_ns) const noexcept {
  std::int64_t end_ns = now_ns();
  if (injected_.busy_share > 0) {
    const auto longer = static_cast<double>(end_ns - begin_ns) * injected_.busy_share;
    const std::int64_t until_ns = end_ns + static_cast<std::int64_t>(longer);
    while (end_ns < until_ns) end_ns = now_ns();
  }
  const bool sleeps = injected_.sleep_every > 0 && times.number >= 0 &&
                      (times.number + 1) % static_cast<std::int64_t>(injected_.sleep_every) == 0;
  if (sleeps) {
    sleep_until_ns(end_ns + injected_.sleep_ns);
    end_ns = now_ns();
  }
  times[BlockStage::kCompute] = static_cast<std::uint64_t>(end_ns - begin_ns);
  return end_ns;
}

template class StreamWork<float>;
template class StreamWork<double>;

}  // namespace firbank::program
