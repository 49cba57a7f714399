#include "kernels/backends.hpp"

#include <charconv>
#include <optional>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/plugin_loader.hpp"

namespace firbank {
namespace {

/// "CUDA 9.0, NVIDIA H200"
std::string describe(const firbank_device_info& info) {
  return "CUDA " + std::to_string(info.compute_capability / 10) + "." +
         std::to_string(info.compute_capability % 10) + ", " + info.name;
}

void list_devices(std::vector<BackendInfo>& backends) {
  const DevicePlugin& plugin = device_plugin();
  int devices = 0;
  std::string reason = plugin.reason;
  if (plugin.api != nullptr) {
    if (plugin.api->count(&devices) != FIRBANK_OK) {
      reason = plugin.api->message();
      devices = 0;
    } else if (devices == 0) {
      reason = "there is no GPU";
    }
  }
  if (devices == 0) backends.push_back({"cuda", "CUDA", false, reason});
  for (int index = 0; index < devices; ++index) {
    firbank_device_info device{};
    BackendInfo info{"cuda:" + std::to_string(index), "CUDA", true, {}};
    if (plugin.api->describe(index, &device) == FIRBANK_OK) {
      info.instruction_set = describe(device);
    } else {
      info.available = false;
      info.reason = plugin.api->message();
    }
    backends.push_back(info);
  }
}

/// N of "cuda:N", and 0 of "cuda".
std::optional<int> device_of(std::string_view name) {
  if (name == "cuda") return 0;
  if (!name.starts_with("cuda:")) return std::nullopt;
  const std::string_view digits = name.substr(5);
  int index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc{} || end != digits.data() + digits.size() || index < 0)
    return std::nullopt;
  return index;
}

std::shared_ptr<const Backend> make_cuda_backend(int index) {
  const firbank_device_api* api = device_plugin().api;
  int devices = 0;
  if (api == nullptr || api->count(&devices) != FIRBANK_OK || index >= devices) return nullptr;
  CudaOptions options;
  options.device = index;
  return std::make_shared<CudaBackend>(*api, options);
}

}  // namespace

std::vector<BackendInfo> list_backends() {
  std::vector<BackendInfo> backends;
  for (const InstructionSet set : kInstructionSets) {
    BackendInfo info{backend_name(set), name(set), is_supported(set), {}};
    if (!info.available) {
      info.reason = is_built(set) ? "this processor has no " + info.instruction_set
                                  : "not part of this build";
    }
    backends.push_back(std::move(info));
  }
  list_devices(backends);
  return backends;
}

std::shared_ptr<const Backend> make_backend(std::string_view wanted) {
  if (const std::optional<int> device = device_of(wanted)) return make_cuda_backend(*device);
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    if (wanted == "auto" || wanted == "cpu" || wanted == backend_name(set)) {
      return std::make_shared<CpuBackend>(set);
    }
  }
  return nullptr;
}

}  // namespace firbank
