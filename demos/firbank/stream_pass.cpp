#include "demos/firbank/stream_pass.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <vector>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/live_clock.hpp"
#include "demos/firbank/planar_buffer.hpp"

namespace firbank::program {
namespace {

/// Hands on the frames of the full convolution that lie in a window.
template <class Sample>
class WindowedOutput {
 public:
  WindowedOutput(std::size_t channels, std::int64_t first, const OutputTaker<Sample>& take)
      : first_(first), take_(take), planes_(channels) {}

  /// The next `frames` frames of the full convolution, of which those before `last` are kept.
  void add(Sample* const* planes, std::size_t frames, std::int64_t last) {
    const auto count = static_cast<std::int64_t>(frames);
    const std::int64_t from = std::clamp<std::int64_t>(first_ - position_, 0, count);
    const std::int64_t to = std::clamp<std::int64_t>(last - position_, from, count);
    if (from < to) {
      for (std::size_t c = 0; c < planes_.size(); ++c) planes_[c] = planes[c] + from;
      BasicBlock<Sample> block;
      block.planes = planes_.data();
      block.channels = planes_.size();
      block.frames = static_cast<std::size_t>(to - from);
      block.first_frame = position_ + from - first_;
      take_(block);
      kept_ += to - from;
    }
    position_ += count;
  }

  std::int64_t position() const noexcept { return position_; }
  std::int64_t kept() const noexcept { return kept_; }

 private:
  std::int64_t first_;
  const OutputTaker<Sample>& take_;
  std::vector<Sample*> planes_;
  std::int64_t position_ = 0;
  std::int64_t kept_ = 0;
};

/// The outputs of calls that are not collected yet.
template <class Sample>
class CallsUnderWay {
 public:
  CallsUnderWay(BasicEngine<Sample>& engine, const PassOptions& options)
      : engine_(engine), depth_(options.depth), calls_(depth_ + 1) {
    for (Call& call : calls_) {
      call.out = std::make_unique<PlanarBuffer<Sample>>(engine.outputs(), options.block_frames);
    }
  }

  void submit(const Sample* const* in, std::size_t frames) {
    Call& call = calls_[submitted_++ % calls_.size()];
    call.frames = frames;
    engine_.submit(in, call.out->planes(), frames);
  }

  /// Collects the oldest call when as many are under way as may be; its frames, or 0.
  std::size_t collect_due() { return submitted_ - collected_ > depth_ ? collect() : 0; }

  /// Collects the oldest call; its frames, or 0 when there is none.
  std::size_t collect() {
    if (collected_ == submitted_) return 0;
    last_ = &calls_[collected_++ % calls_.size()];
    engine_.collect();
    return last_->frames;
  }

  /// The output of the last call that was collected.
  Sample* const* collected() const { return last_->out->planes(); }

 private:
  struct Call {
    std::unique_ptr<PlanarBuffer<Sample>> out;
    std::size_t frames = 0;
  };

  BasicEngine<Sample>& engine_;
  std::size_t depth_;
  std::vector<Call> calls_;
  std::size_t submitted_ = 0;
  std::size_t collected_ = 0;
  const Call* last_ = nullptr;
};

class CallTimer {
 public:
  using Clock = std::chrono::steady_clock;
  void start() noexcept { start_ = Clock::now(); }
  std::uint64_t elapsed_ns() const noexcept {
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_);
    return static_cast<std::uint64_t>(elapsed.count());
  }

 private:
  Clock::time_point start_;
};

}  // namespace

std::size_t frames_to_prefetch(const PassOptions& options) {
  const bool centred =
      options.mode == ConvolutionMode::kSame || options.mode == ConvolutionMode::kValid;
  return centred ? static_cast<std::size_t>(options.longest_taps) : 1;
}

template <class Sample>
PassResult run_pass(BasicEngine<Sample>& engine, FrameReader<Sample>& reader,
                    std::size_t prefetched, const PassOptions& options,
                    const OutputTaker<Sample>& take, const ProgressTaker& progress) {
  const auto seen = static_cast<std::int64_t>(prefetched);
  const std::int64_t first = frame_window(options.mode, seen, options.longest_taps).first;
  const auto block_frames = static_cast<std::int64_t>(options.block_frames);
  PlanarBuffer<Sample> in(engine.inputs(), options.block_frames);
  CallsUnderWay<Sample> calls(engine, options);
  WindowedOutput<Sample> output(engine.outputs(), first, take);

  PassResult result;
  CallTimer timer;
  LiveClock clock(options.sample_rate_hz);
  clock.start();
  for (bool ended = false; !ended;) {
    if (interrupt_requested()) {
      result.interrupted = true;
      break;
    }
    const std::size_t frames = reader.read(in.planes(), options.block_frames);
    // What came before an interrupt is filtered: it cannot be read again from a pipe.
    result.interrupted = interrupt_requested();
    ended = result.interrupted || frames < options.block_frames;
    if (frames == 0) break;
    const std::int64_t captured = result.frames_in + static_cast<std::int64_t>(frames);
    if (options.pace == Pace::kRealtime && !clock.wait_for(captured)) {
      result.interrupted = true;
      break;
    }

    timer.start();
    calls.submit(in.planes(), frames);
    const std::size_t done = calls.collect_due();
    const std::uint64_t ns = timer.elapsed_ns();

    result.block_ns.record(ns);
    const double lasts_ns = 1e9 * static_cast<double>(block_frames) / options.sample_rate_hz;
    const bool missed = options.pace == Pace::kAsLive     ? static_cast<double>(ns) > lasts_ns
                        : options.pace == Pace::kRealtime ? clock.is_past(captured + block_frames)
                                                          : false;
    if (missed && result.deadline_misses++ == 0) result.first_missed_frame = result.frames_in;
    result.frames_in = captured;
    if (done > 0) output.add(calls.collected(), done, std::numeric_limits<std::int64_t>::max());
    progress(result.frames_in);
  }
  while (const std::size_t done = calls.collect()) {
    output.add(calls.collected(), done, std::numeric_limits<std::int64_t>::max());
  }

  if (!result.interrupted) {
    PlanarBuffer<Sample> out(engine.outputs(), options.block_frames);
    const std::int64_t last =
        frame_window(options.mode, result.frames_in, options.longest_taps).last;
    while (output.position() < last) {
      const std::int64_t left = std::min(last - output.position(), block_frames);
      std::size_t frames = engine.flush(out.planes(), static_cast<std::size_t>(left));
      if (frames == 0) {
        // Behind the filters' own tail there is silence, up to the length that they count as.
        const auto tail = static_cast<std::int64_t>(engine.tail_frames());
        if (output.position() < result.frames_in + tail) break;
        frames = static_cast<std::size_t>(left);
        for (std::size_t c = 0; c < engine.outputs(); ++c) {
          std::fill_n(out.planes()[c], frames, Sample{0});
        }
      }
      output.add(out.planes(), frames, last);
    }
  }
  result.frames_out = output.kept();
  return result;
}

template PassResult run_pass(BasicEngine<float>&, FrameReader<float>&, std::size_t,
                             const PassOptions&, const OutputTaker<float>&, const ProgressTaker&);
template PassResult run_pass(BasicEngine<double>&, FrameReader<double>&, std::size_t,
                             const PassOptions&, const OutputTaker<double>&, const ProgressTaker&);

}  // namespace firbank::program
