// LatencyRequest: asks the kernel for processors that wake at once, by /dev/cpu_dma_latency. The
// request ends with it, or with the process, however that ends.
//
// Thread: any.
#pragma once

#include <string>

namespace firbank::program {

class LatencyRequest {
 public:
  /// Never fails: granted() tells.
  LatencyRequest();
  ~LatencyRequest();
  LatencyRequest(const LatencyRequest&) = delete;
  LatencyRequest& operator=(const LatencyRequest&) = delete;

  bool granted() const noexcept { return why_not_.empty(); }
  const std::string& why_not() const noexcept { return why_not_; }

 private:
  int file_ = -1;
  std::string why_not_;
};

}  // namespace firbank::program
