#include "io/interruption.hpp"

#include <atomic>

namespace firbank {
namespace {

std::atomic<StopRequests> source{nullptr};

}  // namespace

void set_stop_requests(StopRequests requests) noexcept {
  source = requests;
}

int stop_requests() noexcept {
  const StopRequests requests = source;
  return requests == nullptr ? 0 : requests();
}

}  // namespace firbank
