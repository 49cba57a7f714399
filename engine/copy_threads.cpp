#include "engine/copy_threads.hpp"

#include <algorithm>
#include <thread>

namespace firbank {

std::size_t copy_threads() noexcept {
  constexpr std::size_t kMost = 8;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMost);
}

}  // namespace firbank
