#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "engine/offline/array_planes.hpp"
#include "engine/offline/array_worker.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/frame_products.hpp"

namespace firbank {
namespace {

/// The kernels of one output lie as its frames do, tap by tap; samples are used where they lie.
template <class Sample>
class FramesWorker final : public ArrayWorker<Sample> {
 public:
  FramesWorker(const ArrayJob& job, const ArrayPlan& plan, InstructionSet set)
      : job_(job),
        set_(set),
        products_(*frame_products<Sample>(set)),
        copy_(*array_copy<Sample>(set)),
        outputs_(copy_),
        sums_(plan.call_frames) {}

  void begin(const ArraySignals& signals, bool keeps_kernels) override {
    signals_ = &signals;
    outputs_.set_streaming(outgrows_caches(job_, signals));
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
        kernel_[k * job_.inputs + edge.input] += static_cast<Sample>(edge.gain * taps[k]);
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
      copy_.gather(base + static_cast<std::ptrdiff_t>(k) * view.frame_stride * bytes, view.type, 1,
                   kernel_.data() + k * job_.inputs, job_.inputs);
    }
    return true;
  }

  /// sums_[n] = frame `first` + n of the full convolution.
  void sum(std::uint64_t first, std::size_t frames) {
    std::fill_n(sums_.data(), frames, Sample{0});
    // Frames that hear whole kernels are summed together, those at both ends one by one.
    const std::uint64_t last = first + frames;
    const std::uint64_t inner = std::clamp<std::uint64_t>(taps_ - 1, first, last);
    const std::uint64_t outer = std::clamp(job_.frames, inner, last);
    for (std::uint64_t n = first; n < inner; ++n) sum_at_an_end(n, sums_.data() + (n - first));
    if (inner < outer) {
      products_.add(row(inner + 1 - taps_), signals_->input.frame_stride, job_.inputs,
                    kernel_.data(), taps_, sums_.data() + (inner - first),
                    static_cast<std::size_t>(outer - inner));
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
    const Sample* const kernel =
        kernel_.data() + static_cast<std::size_t>(frame + 1 - newest) * job_.inputs;
    products_.add(row(oldest), signals_->input.frame_stride, job_.inputs, kernel,
                  static_cast<std::size_t>(newest - oldest), out, 1);
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
  AlignedVector<Sample> kernel_;  // of output_: [tap][input]
  std::size_t taps_ = 0;
  std::size_t output_ = 0;
  bool have_kernel_ = false;
  AlignedVector<Sample> sums_;
};

}  // namespace

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
