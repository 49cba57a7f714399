#include "kernels/cuda/slot_copy.hpp"

#include <algorithm>
#include <atomic>

#include "kernels/cpu/instruction_set.hpp"
#include "kernels/fetch.hpp"
#include "kernels/worker_pool.hpp"

namespace firbank::cuda {
namespace {

/// The fresh samples of each input: silence, and what has come.
template <class Sample>
struct FreshFrames {
  explicit FreshFrames(const Window<Sample>& window)
      : all(window.fresh.last - window.fresh.first), silent(all - window.samples->frames()) {}

  std::size_t all;
  std::size_t silent;
};

}  // namespace

template <class Sample>
SlotCopy<Sample>::SlotCopy(const StreamShape& shape, std::size_t cache_bytes)
    : inputs_(shape.inputs),
      outputs_(shape.outputs),
      copiers_(shape.copiers),
      narrow_(*narrow_copy<Sample>(best_instruction_set())),
      uncached_(uncached_copy(best_instruction_set())),
      cache_bytes_(cache_bytes) {}

/// Calls work(range) until the ranges cover all planes, of so many bytes each.
template <class Sample>
template <class Work>
void SlotCopy<Sample>::share(std::size_t planes, std::size_t bytes, Work&& work) const noexcept {
  if (copiers_ == nullptr) return work(IndexRange{0, planes});
  copiers_->run(planes, items_of_share(bytes),
                [&](IndexRange range, std::size_t) noexcept { work(range); });
}

template <class Sample>
void SlotCopy<Sample>::copy(const Sample* from, Sample* to, std::size_t frames,
                            bool past_caches) const noexcept {
  if (past_caches) {
    uncached_(from, to, frames * sizeof(Sample));
  } else {
    std::copy_n(from, frames, to);
  }
}

template <class Sample>
void SlotCopy<Sample>::fill(const Window<Sample>& window, Sample* slot) const noexcept {
  const FreshFrames<Sample> fresh(window);
  const std::size_t bytes = fresh.all * sizeof(Sample);
  const bool past_caches = 2 * inputs_ * bytes > cache_bytes_;
  share(inputs_, bytes, [&](IndexRange inputs) {
    Sample* const to = slot + inputs.first * fresh.all;
    if (fresh.silent > 0) {
      std::fill_n(to, (inputs.last - inputs.first) * fresh.all, Sample{0});
    }
    window.samples->take(inputs, to + fresh.silent, fresh.all, past_caches);
  });
}

template <class Sample>
bool SlotCopy<Sample>::fill_narrow(const Window<Sample>& window,
                                   std::int16_t* slot) const noexcept {
  const NewSamples<Sample>& samples = *window.samples;
  const FreshFrames<Sample> fresh(window);
  const std::size_t frames = samples.frames();
  const std::size_t bytes = fresh.all * (sizeof(Sample) + sizeof(std::int16_t));
  const bool past_caches = inputs_ * bytes > cache_bytes_;
  const std::size_t ahead = rows_ahead<Sample>(frames);
  std::atomic<bool> all_fit{true};
  share(inputs_, bytes, [&](IndexRange inputs) {
    for (std::size_t input = inputs.first; input < inputs.last; ++input) {
      if (!all_fit.load(std::memory_order_relaxed)) return;
      if (input + ahead < inputs.last) {
        fetch_to_read(samples.raw(input + ahead), std::min(frames, kRowFetched));
      }
      std::int16_t* const to = slot + input * fresh.all;
      std::fill_n(to, fresh.silent, std::int16_t{0});
      if (!narrow_.run(samples.raw(input), to + fresh.silent, frames, past_caches)) {
        all_fit.store(false, std::memory_order_relaxed);
      }
    }
  });
  if (!all_fit.load(std::memory_order_relaxed)) return false;
  samples.pass({0, inputs_});
  return true;
}

template <class Sample>
void SlotCopy<Sample>::bring_home(const Sample* slot, std::size_t frames,
                                  Sample* const* planes) const noexcept {
  const std::size_t bytes = frames * sizeof(Sample);
  const bool past_caches = 2 * outputs_ * bytes > cache_bytes_;
  share(outputs_, bytes, [&](IndexRange outputs) {
    for (std::size_t output = outputs.first; output < outputs.last; ++output) {
      copy(slot + output * frames, planes[output], frames, past_caches);
    }
  });
}

template class SlotCopy<float>;
template class SlotCopy<double>;

}  // namespace firbank::cuda
