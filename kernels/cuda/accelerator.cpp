#include "kernels/cuda/accelerator.hpp"

#include <cstring>

#include "kernels/backend.hpp"

namespace firbank::cuda {

Accelerator::Accelerator(const firbank_device_api& api, int index) : api_(api) {
  require(api.describe(index, &info_), "describe device " + std::to_string(index));
  require(api.open(index, &device_), "open device " + std::to_string(index));
}

Accelerator::~Accelerator() {
  api_.close(device_);
}

void Accelerator::require(int status, const std::string& action) {
  if (status == FIRBANK_OK) return;
  const std::string reason = api_.message();
  // Whoever asks for memory may be the first to hear of it.
  if (status == FIRBANK_DEVICE_FAILED) fail(reason.c_str());
  throw BackendError("CUDA cannot " + action + ": " + reason);
}

bool Accelerator::check(int status) noexcept {
  if (status == FIRBANK_OK) return true;
  fail(api_.message());
  return false;
}

void Accelerator::fail(const char* reason) noexcept {
  const std::lock_guard lock(failing_);
  if (has_failed()) return;
  std::strncpy(reason_, reason, sizeof(reason_) - 1);
  failed_.store(true, std::memory_order_release);
}

std::string Accelerator::failure() const {
  const std::lock_guard lock(failing_);
  return reason_;
}

Graph::Graph(std::shared_ptr<Accelerator> accelerator, const KernelCalls& calls)
    : accelerator_(std::move(accelerator)) {
  const std::span<const firbank_kernel_call> list = calls.calls();
  accelerator_->require(
      accelerator_->api().make_graph(accelerator_->device(), list.data(), list.size(), &graph_),
      "make a graph of " + std::to_string(list.size()) + " kernels");
}

Graph::~Graph() {
  accelerator_->api().free_graph(accelerator_->device(), graph_);
}

}  // namespace firbank::cuda
