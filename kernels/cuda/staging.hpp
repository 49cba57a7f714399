// Staging: samples on their way to the device and answers on their way home, in slots.
//
// Either the kernels read and write the slots where they lie in pinned memory, which is soonest
// there; or the slots have a copy in device memory, and lanes of their own carry them both ways at
// once while the device computes, which moves the most.
//
// Samples that are whole multiples of 1/32,768, as those of 16-bit sources are, travel in two bytes
// each. Nothing is lost by that, so it is done whenever all samples of a slot allow it.
//
// Thread:   one at a time, but for SlotCopy's.
// Realtime: everything but construction and destruction is free of allocations and locks, and waits
//           for no device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/accelerator.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/slot_copy.hpp"
#include "kernels/cuda/stream_shape.hpp"

namespace firbank::cuda {

template <class Sample>
class Staging {
 public:
  /// `progress` is where deliveries are told; it outlives this. Throws: BackendError.
  Staging(const std::shared_ptr<Accelerator>& accelerator, const StreamShape& shape,
          std::size_t slots_in, std::size_t slots_out, Progress* progress);

  // What the kernels read and write.
  const Sample* kernel_in() const noexcept { return copies_ ? device_in_.data() : in_.data(); }
  Sample* kernel_out() const noexcept { return copies_ ? device_out_.data() : out_.data(); }

  /// Whether answers come by copies, and has_delivered() tells of them.
  bool copies() const noexcept { return copies_; }

  /// Puts the window's fresh samples into a slot that nothing under way reads; returns whether they
  /// are narrow there. A piece without a window is all newer half.
  bool fill(std::size_t slot, const firbank::Window<Sample>& window) noexcept;

  /// Before and after the launch that reads what fill() put into slot `in`, or renders `frames` of
  /// each output to slot `out`. False when the device failed.
  bool send(std::size_t in) noexcept;
  bool bring(std::size_t out, std::size_t frames) noexcept;

  /// Of answers that bring() was asked for, in that order, counted from 0.
  bool has_delivered(std::uint64_t answer) const noexcept;
  std::uint64_t asked() const noexcept { return asked_; }

  /// Copies what is in a slot, `frames` of each output, to a plane of each.
  void copy_out(std::size_t out, std::size_t frames, Sample* const* planes) const noexcept {
    copy_.bring_home(out_.data() + out * out_samples_, frames, planes);
  }

 private:
  std::shared_ptr<Accelerator> accelerator_;
  bool copies_;
  std::size_t inputs_;
  std::size_t outputs_;
  std::size_t in_samples_;  // of a slot
  std::size_t out_samples_;
  SlotCopy<Sample> copy_;
  PinnedMemory<Sample> in_;
  PinnedMemory<Sample> out_;
  DeviceMemory<Sample> device_in_;
  DeviceMemory<Sample> device_out_;
  DeviceMemory<std::uint64_t> delivered_;
  Progress* progress_;
  std::unique_ptr<Graph> delivery_;    // what follows each copy home
  std::vector<std::size_t> in_bytes_;  // of each slot: what it holds
  std::size_t wide_left_ = 0;          // fills before narrow samples are looked for again
  std::uint64_t asked_ = 0;
};

extern template class Staging<float>;
extern template class Staging<double>;

}  // namespace firbank::cuda
