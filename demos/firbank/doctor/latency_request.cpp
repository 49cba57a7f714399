#include "demos/firbank/doctor/latency_request.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace firbank::program {

LatencyRequest::LatencyRequest() {
  file_ = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
  const std::int32_t most_us = 0;
  if (file_ >= 0) errno = EIO;  // of a write that takes only part of it
  // Bytes of another number would be read as text.
  const bool asked = file_ >= 0 && write(file_, &most_us, sizeof(most_us)) == sizeof(most_us);
  if (!asked) why_not_ = std::generic_category().message(errno);
}

LatencyRequest::~LatencyRequest() {
  if (file_ >= 0) close(file_);
}

}  // namespace firbank::program
