#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "engine/offline/array_planes.hpp"
#include "engine/offline/array_worker.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/frame_products.hpp"
#include "kernels/fetch.hpp"

namespace firbank {
namespace {

constexpr std::size_t kStripInputs = 128;       // so that a tile's rows lie in the first cache
constexpr std::size_t kStripFrames = 512;       // so that a strip's copy lies in the second one
constexpr std::size_t kCollidingBytes = 4'096;  // between what shares places in the first cache
constexpr std::size_t kRowsAhead = 4;           // that come into the cache while one is copied

/// Frames whose sums are made of one copy.
std::size_t frames_of_copy(std::size_t taps) {
  return taps < kStripFrames / 2 ? kStripFrames - taps : taps;
}

/// Inputs are summed a strip at a time, so that what a strip's sums are made of stays in the cache.
/// The kernels of one output lie as its frames do, tap by tap. Samples are used where they lie, but
/// where frames are so far apart that they share places in the first cache: such strips are copied.
template <class Sample>
class FramesWorker final : public ArrayWorker<Sample> {
 public:
  FramesWorker(const ArrayJob& job, const ArrayPlan& plan, InstructionSet set)
      : job_(job),
        set_(set),
        products_(*frame_products<Sample>(set)),
        copy_(*array_copy<Sample>(set)),
        outputs_(copy_),
        strip_(std::min(job.inputs, kStripInputs)),
        sums_(plan.call_frames) {}

  void begin(const ArraySignals& signals, bool keeps_kernels) override {
    signals_ = &signals;
    const auto apart = static_cast<std::size_t>(std::abs(signals.input.frame_stride));
    copies_ = apart * sizeof(Sample) % kCollidingBytes == 0;
    outputs_.set_past_caches(outgrows_caches(job_, signals));
    if (!keeps_kernels) have_kernel_ = false;
  }

  void replace(std::size_t) override { have_kernel_ = false; }

  void compute(const ArrayTask& task, ArrayMeter& meter) override {
    for (std::size_t output = task.first_output; output < task.last_output; ++output) {
      take_kernel(output);
      outputs_.clear();
      add_output(outputs_, job_, *signals_, 0, output);
      const ArrayWindow& window = job_.windows[output];
      const std::uint64_t end = std::min(task.frames.end(), window.end());
      std::uint64_t frame = std::max(task.frames.first, window.first);
      while (frame < end) {
        const auto frames =
            static_cast<std::size_t>(std::min<std::uint64_t>(sums_.size(), end - frame));
        sum(frame, frames);
        const Sample* const from = sums_.data();
        outputs_.write(frame - window.first, frames, 0, 1, &from);
        if (!meter.go_on(frames)) return;
        frame += frames;
      }
    }
  }

 private:
  void take_kernel(std::size_t output) {
    if (have_kernel_ && output_ == output) return;
    taps_ = 0;
    for (const ArrayEdge& edge : job_.edges) {
      if (edge.output == output) taps_ = std::max(taps_, job_.taps[edge.kernel]);
    }
    kernel_.assign(taps_ * job_.inputs, Sample{0});
    output_ = output;
    have_kernel_ = true;
    if (take_rows(output)) return;
    for (const ArrayEdge& edge : job_.edges) {
      if (edge.output != output) continue;
      const std::vector<double> taps = read_kernel(job_, signals_->kernels, 0, edge.kernel, set_);
      for (std::size_t k = 0; k < taps.size(); ++k) {
        *tap(k, edge.input) += static_cast<Sample>(edge.gain * taps[k]);
      }
    }
  }

  /// Where taps lie side by side as the frames' samples do, whole rows of them are read.
  bool take_rows(std::size_t output) {
    const ArrayView& view = signals_->kernels;
    std::size_t input = 0;
    std::ptrdiff_t first = 0;
    for (const ArrayEdge& edge : job_.edges) {
      if (edge.output != output) continue;
      if (input == 0) first = view.offsets[edge.kernel];
      const auto place = first + static_cast<std::ptrdiff_t>(input);
      if (edge.input != input || edge.gain != 1.0 || job_.taps[edge.kernel] != taps_ ||
          view.offsets[edge.kernel] != place) {
        return false;
      }
      ++input;
    }
    if (input != job_.inputs) return false;
    const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(view.type));
    const auto* const base = static_cast<const std::byte*>(view.base) + first * bytes;
    for (std::size_t k = 0; k < taps_; ++k) {
      for (std::size_t c = 0; c < job_.inputs; c += strip_) {
        const auto from =
            static_cast<std::ptrdiff_t>(k) * view.frame_stride + static_cast<std::ptrdiff_t>(c);
        copy_.gather(base + from * bytes, view.type, 1, tap(k, c), width(c));
      }
    }
    return true;
  }

  /// Inputs of the strip that begins with input `first`.
  std::size_t width(std::size_t first) const { return std::min(strip_, job_.inputs - first); }

  Sample* tap(std::size_t k, std::size_t input) {
    const std::size_t first = input / strip_ * strip_;
    return kernel_.data() + first * taps_ + k * width(first) + (input - first);
  }

  /// sums_[n] = frame `first` + n of the full convolution.
  void sum(std::uint64_t first, std::size_t frames) {
    std::fill_n(sums_.data(), frames, Sample{0});
    // Frames that hear whole kernels are summed together, those at both ends one by one.
    const std::uint64_t last = first + frames;
    const std::uint64_t inner = std::clamp<std::uint64_t>(taps_ - 1, first, last);
    const std::uint64_t outer = std::clamp(job_.frames, inner, last);
    for (std::uint64_t n = first; n < inner; ++n) sum_at_an_end(n, sums_.data() + (n - first));
    const std::uint64_t most = frames_of_copy(taps_);
    for (std::uint64_t n = inner; n < outer; n += most) {
      const auto count = static_cast<std::size_t>(std::min(most, outer - n));
      sum_strips(n, count, sums_.data() + (n - first));
    }
    for (std::uint64_t n = outer; n < last; ++n) sum_at_an_end(n, sums_.data() + (n - first));
    // Where nothing overflows, what is not finite has heard an input that is not.
    for (std::size_t n = 0; n < frames; ++n) {
      if (!std::isfinite(sums_[n])) sums_[n] = std::numeric_limits<Sample>::quiet_NaN();
    }
  }

  void sum_at_an_end(std::uint64_t frame, Sample* out) {
    const std::uint64_t oldest = frame + 1 - std::min<std::uint64_t>(frame + 1, taps_);
    const std::uint64_t newest = std::min(frame + 1, job_.frames);  // the frame behind it
    if (oldest >= newest) return;
    for (std::size_t c = 0; c < job_.inputs; c += strip_) {
      products_.add(row(oldest) + c, signals_->input.frame_stride, width(c),
                    tap(static_cast<std::size_t>(frame + 1 - newest), c),
                    static_cast<std::size_t>(newest - oldest), out, 1);
    }
  }

  /// Frames that hear whole kernels.
  void sum_strips(std::uint64_t first, std::size_t frames, Sample* out) {
    const std::uint64_t oldest = first + 1 - taps_;
    const std::size_t rows = frames + taps_ - 1;
    for (std::size_t c = 0; c < job_.inputs; c += strip_) {
      const Sample* from = row(oldest) + c;
      std::ptrdiff_t stride = signals_->input.frame_stride;
      if (copies_) {
        const auto at = [stride](std::size_t n) { return static_cast<std::ptrdiff_t>(n) * stride; };
        copied_.resize(rows * strip_);
        for (std::size_t n = 0; n < rows; ++n) {
          if (n + kRowsAhead < rows) fetch_to_read(from + at(n + kRowsAhead), width(c));
          std::copy_n(from + at(n), width(c), copied_.data() + n * strip_);
        }
        from = copied_.data();
        stride = static_cast<std::ptrdiff_t>(strip_);
      }
      products_.add(from, stride, width(c), tap(0, c), taps_, out, frames);
    }
  }

  const Sample* row(std::uint64_t frame) const {
    const ArrayView& input = signals_->input;
    return static_cast<const Sample*>(input.base) + input.offsets.front() +
           static_cast<std::ptrdiff_t>(frame) * input.frame_stride;
  }

  const ArrayJob& job_;
  InstructionSet set_;
  const FrameProducts<Sample>& products_;
  const ArrayCopy<Sample>& copy_;
  ArrayPlanes<Sample> outputs_;
  const ArraySignals* signals_ = nullptr;
  std::size_t strip_;             // inputs that are summed together
  bool copies_ = false;           // strips
  AlignedVector<Sample> kernel_;  // of output_, strip by strip: [tap][input of the strip]
  std::size_t taps_ = 0;
  std::size_t output_ = 0;
  bool have_kernel_ = false;
  AlignedVector<Sample> copied_;  // a strip
  AlignedVector<Sample> sums_;
};

}  // namespace

std::size_t frames_worker_copies(const ArrayJob& job) {
  const std::size_t taps = job.longest();
  return (frames_of_copy(taps) + taps) * std::min(job.inputs, kStripInputs);
}

template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_frames_worker(const ArrayJob& job, const ArrayPlan& plan,
                                                        InstructionSet set) {
  return std::make_unique<FramesWorker<Sample>>(job, plan, set);
}

template std::unique_ptr<ArrayWorker<float>> make_frames_worker(const ArrayJob&, const ArrayPlan&,
                                                                InstructionSet);
template std::unique_ptr<ArrayWorker<double>> make_frames_worker(const ArrayJob&, const ArrayPlan&,
                                                                 InstructionSet);

}  // namespace firbank
