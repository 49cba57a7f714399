// The backends of this build: list them, pick the best, or force one by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/backend.hpp"

namespace firbank {

struct BackendInfo {
  std::string name;             // "cpu-avx2"
  std::string instruction_set;  // "AVX2"
  bool available = false;       // here and now
  std::string reason;           // why not, when it is not
};

/// Every backend that this build knows; those that cannot run here say why. CPU backends come
/// first, the best one before the others; then one for each GPU, or the reason why there is none.
std::vector<BackendInfo> list_backends();

/// `name` is "auto" or "cpu" (the best CPU backend), "cuda" (the first GPU), or the name of a
/// backend. A GPU has to be asked for: it cannot answer within a real-time callback, as "auto"
/// must. Returns null when there is none of that name or it cannot run here; list_backends() tells
/// which. Throws: BackendError when a GPU cannot be opened.
std::shared_ptr<const Backend> make_backend(std::string_view name);

}  // namespace firbank
