#include "kernels/cuda/staging.hpp"

#include <atomic>

namespace firbank::cuda {
namespace {

// A source that has had other samples will have them again: it is asked rarely.
constexpr std::size_t kWideFills = 64;

}  // namespace

template <class Sample>
Staging<Sample>::Staging(const std::shared_ptr<Accelerator>& accelerator, const StreamShape& shape,
                         std::size_t slots_in, std::size_t slots_out, Progress* progress)
    : accelerator_(accelerator),
      copies_(shape.copies),
      inputs_(shape.inputs),
      outputs_(shape.outputs),
      in_samples_(shape.inputs * shape.fresh_frames),
      out_samples_(shape.outputs * shape.frames),
      copy_(shape),
      in_(accelerator, slots_in * in_samples_),
      out_(accelerator, slots_out * out_samples_),
      device_in_(accelerator, copies_ ? slots_in * in_samples_ : 0),
      device_out_(accelerator, copies_ ? slots_out * out_samples_ : 0),
      delivered_(accelerator, copies_ ? 1 : 0),
      progress_(progress),
      in_bytes_(slots_in) {
  if (!copies_) return;
  KernelCalls calls;
  calls.add(Kernel::kDeliver, sizeof(Sample),
            DeliverParams{.count = delivered_.data(), .progress = progress});
  delivery_ = std::make_unique<Graph>(accelerator_, calls);
}

template <class Sample>
bool Staging<Sample>::fill(std::size_t slot, const firbank::Window<Sample>& window) noexcept {
  const std::size_t samples = inputs_ * (window.fresh.last - window.fresh.first);
  Sample* const to = in_.data() + slot * in_samples_;
  if (wide_left_ == 0) {
    if (copy_.fill_narrow(window, reinterpret_cast<std::int16_t*>(to))) {
      in_bytes_[slot] = samples * sizeof(std::int16_t);
      return true;
    }
    wide_left_ = kWideFills;
  }
  --wide_left_;
  in_bytes_[slot] = samples * sizeof(Sample);
  copy_.fill(window, to);
  return false;
}

template <class Sample>
bool Staging<Sample>::send(std::size_t in) noexcept {
  if (!copies_) return true;
  const firbank_device_api& api = accelerator_->api();
  firbank_device* const device = accelerator_->device();
  const std::size_t at = in * in_samples_;
  return accelerator_->check(api.copy(device, FIRBANK_LANE_IN, device_in_.data() + at,
                                      in_.data() + at, in_bytes_[in])) &&
         accelerator_->check(api.follow(device, FIRBANK_LANE_COMPUTE, FIRBANK_LANE_IN));
}

template <class Sample>
bool Staging<Sample>::bring(std::size_t out, std::size_t frames) noexcept {
  if (!copies_) return true;
  ++asked_;
  const firbank_device_api& api = accelerator_->api();
  firbank_device* const device = accelerator_->device();
  const std::size_t at = out * out_samples_;
  return accelerator_->check(api.follow(device, FIRBANK_LANE_OUT, FIRBANK_LANE_COMPUTE)) &&
         accelerator_->check(api.copy(device, FIRBANK_LANE_OUT, out_.data() + at,
                                      device_out_.data() + at,
                                      outputs_ * frames * sizeof(Sample))) &&
         accelerator_->check(api.launch(device, FIRBANK_LANE_OUT, delivery_->get()));
}

template <class Sample>
bool Staging<Sample>::has_delivered(std::uint64_t answer) const noexcept {
  return std::atomic_ref(progress_->delivered).load(std::memory_order_acquire) > answer;
}

template class Staging<float>;
template class Staging<double>;

}  // namespace firbank::cuda
