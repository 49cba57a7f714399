#include "io/resampler.hpp"

#include <cmath>

#include <fmt/format.h>
#include <soxr.h>

#include "io/error.hpp"

namespace firbank {

std::vector<double> resample(std::span<const double> in, double from_hz, double to_hz) {
  if (!(from_hz > 0 && to_hz > 0 && std::isfinite(from_hz) && std::isfinite(to_hz))) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("cannot resample from {} Hz to {} Hz; allowed: rates above 0", from_hz, to_hz));
  }
  if (from_hz == to_hz) return {in.begin(), in.end()};
  const double length = std::ceil(static_cast<double>(in.size()) * to_hz / from_hz);
  std::vector<double> out(static_cast<std::size_t>(length));
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT64_I, SOXR_FLOAT64_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  std::size_t done = 0;
  const soxr_error_t error = soxr_oneshot(from_hz, to_hz, 1, in.data(), in.size(), nullptr,
                                          out.data(), out.size(), &done, &io, &quality, nullptr);
  if (error != nullptr) {
    throw Error(ErrorKind::kConfiguration, fmt::format("cannot resample from {} Hz to {} Hz: {}",
                                                       from_hz, to_hz, soxr_strerror(error)));
  }
  // The library may round the length down; what is missing is the end of the tail.
  for (std::size_t n = done; n < out.size(); ++n) out[n] = 0;
  return out;
}

}  // namespace firbank
