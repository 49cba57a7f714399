#include "demos/firbank/bench/capacity/capacity_backends.hpp"

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {

std::vector<std::string> backends_to_try(const std::string& asked) {
  std::vector<std::string> names;
  if (!asked.empty()) {
    names.push_back(asked);
  } else {
    bool has_cpu = false;
    for (const BackendInfo& backend : list_backends()) {
      const bool is_cpu = backend.name.starts_with("cpu");
      // Of the CPU's the best, which comes first.
      if (!backend.available || (is_cpu && has_cpu)) continue;
      has_cpu = has_cpu || is_cpu;
      names.push_back(backend.name);
    }
  }
  for (std::string& name : names) {
    try {
      const auto opened = make_backend(name);
      if (opened == nullptr) {
        refuse(
            fmt::format("backend '{}' cannot run here; 'firbank backends' lists what can", name));
      }
      name = opened->name();
    } catch (const BackendError& error) {
      refuse(error.what());
    }
  }
  return names;
}

}  // namespace firbank::program
