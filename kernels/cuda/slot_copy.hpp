// SlotCopy: the host's copies of samples into a staging slot, and of answers out of one.
//
// A device that computes as fast as the bus carries waits for these copies: several threads share
// them, plane by plane, and where the caches would not hold them they are written past those.
//
// Thread:   one at a time; the pool's threads work in its calls and have done when they return.
// Realtime: safe, as WorkerPool::run() is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/backend.hpp"
#include "kernels/cpu/narrow_copy.hpp"
#include "kernels/cpu/uncached_copy.hpp"
#include "kernels/cuda/stream_shape.hpp"

namespace firbank::cuda {

template <class Sample>
class SlotCopy {
 public:
  /// The copiers of `shape` outlive this. Copies of more than `cache_bytes`, source and target
  /// together, go past the caches.
  explicit SlotCopy(const StreamShape& shape, std::size_t cache_bytes = last_level_cache_bytes());

  /// Puts the window's fresh samples into a slot, input by input.
  void fill(const Window<Sample>& window, Sample* slot) const noexcept;

  /// The same in 16 bits. False when not all of them allow it: what is in the slot is of no use
  /// then. No thread goes on with its planes once another has met a sample that does not fit.
  bool fill_narrow(const Window<Sample>& window, std::int16_t* slot) const noexcept;

  /// Copies `frames` frames of each output, which lie one output behind the other, to its plane.
  void bring_home(const Sample* slot, std::size_t frames, Sample* const* planes) const noexcept;

 private:
  template <class Work>
  void share(std::size_t planes, std::size_t bytes, Work&& work) const noexcept;
  void copy(const Sample* from, Sample* to, std::size_t frames, bool past_caches) const noexcept;

  std::size_t inputs_;
  std::size_t outputs_;
  WorkerPool* copiers_;
  const NarrowCopy<Sample>& narrow_;
  UncachedCopy uncached_;
  std::size_t cache_bytes_;
};

extern template class SlotCopy<float>;
extern template class SlotCopy<double>;

}  // namespace firbank::cuda
