#include "kernels/backends.hpp"

#include "kernels/cpu/cpu_backend.hpp"

namespace firbank {

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
  return backends;
}

std::shared_ptr<const Backend> make_backend(std::string_view wanted) {
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    if (wanted == "auto" || wanted == "cpu" || wanted == backend_name(set)) {
      return std::make_shared<CpuBackend>(set);
    }
  }
  return nullptr;
}

}  // namespace firbank
