#include "io/resampler.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <soxr.h>

#include "io/error.hpp"

namespace firbank {
namespace {

// The filters ring for 110 frames of the lower rate on both sides, or 210 behind; then they are
// below -100 dB.
constexpr double kFramesBefore = 160;
constexpr double kFramesBehind = 320;

/// At least `least` frames, which last a whole number of frames at the other rate too, or nearly.
std::size_t common_frames(double least, double ratio) {
  constexpr int kMostTries = 400'000;  // above the lower rate, where one fits exactly
  constexpr double kExact = 1e-9;
  double best = std::ceil(least);
  double error = 1;
  for (int i = 0; i < kMostTries && error > kExact; ++i) {
    const double frames = std::ceil(least) + i;
    const double there = frames * ratio;
    if (const double off = std::abs(there - std::round(there)); off < error) {
      best = frames;
      error = off;
    }
  }
  return static_cast<std::size_t>(best);
}

/// `in` resampled, with all that rings around it, and where its frame 0 is then.
struct Padded {
  std::vector<double> samples;
  std::size_t origin;
};

Padded resample_padded(std::span<const double> in, double from_hz, double to_hz,
                       ResamplerPhase phase) {
  const double ratio = to_hz / from_hz;
  const double in_lower_frames = std::max(1.0, from_hz / to_hz);
  const std::size_t before = common_frames(kFramesBefore * in_lower_frames, ratio);
  const auto behind = static_cast<std::size_t>(kFramesBehind * in_lower_frames);
  std::vector<double> padded(before + in.size() + behind);
  std::copy(in.begin(), in.end(), padded.begin() + static_cast<std::ptrdiff_t>(before));

  Padded out;
  out.origin = static_cast<std::size_t>(std::round(static_cast<double>(before) * ratio));
  out.samples.resize(
      static_cast<std::size_t>(std::ceil(static_cast<double>(padded.size()) * ratio)));
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT64_I, SOXR_FLOAT64_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(
      SOXR_VHQ | (phase == ResamplerPhase::kMinimum ? SOXR_MINIMUM_PHASE : SOXR_LINEAR_PHASE), 0);
  std::size_t done = 0;  // the library may round the length down
  const soxr_error_t error =
      soxr_oneshot(from_hz, to_hz, 1, padded.data(), padded.size(), nullptr, out.samples.data(),
                   out.samples.size(), &done, &io, &quality, nullptr);
  if (error != nullptr) {
    throw Error(ErrorKind::kConfiguration, fmt::format("cannot resample from {} Hz to {} Hz: {}",
                                                       from_hz, to_hz, soxr_strerror(error)));
  }
  return out;
}

double energy(std::span<const double> samples) {
  double sum = 0;
  for (const double sample : samples) sum += sample * sample;
  return sum;
}

/// The library puts the peak of a minimum-phase impulse near its place; this is how many frames
/// before it the impulse begins.
std::size_t minimum_phase_delay(double from_hz, double to_hz) {
  constexpr double kBegin = kNegligibleEnergy / 10;
  const double one = 1;
  const Padded impulse = resample_padded({&one, 1}, from_hz, to_hz, ResamplerPhase::kMinimum);
  const double limit = kBegin * energy(impulse.samples);
  std::size_t first = 0;
  for (double sum = 0; first < impulse.origin; ++first) {
    sum += impulse.samples[first] * impulse.samples[first];
    if (sum > limit) break;
  }
  return impulse.origin - first;
}

}  // namespace

Resampled resample(std::span<const double> in, double from_hz, double to_hz, ResamplerPhase phase) {
  if (!(from_hz > 0 && to_hz > 0 && std::isfinite(from_hz) && std::isfinite(to_hz))) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("cannot resample from {} Hz to {} Hz; allowed: rates above 0", from_hz, to_hz));
  }
  if (from_hz == to_hz || in.empty()) return {.samples = {in.begin(), in.end()}};
  const Padded padded = resample_padded(in, from_hz, to_hz, phase);
  const std::span<const double> all = padded.samples;
  const double whole = energy(all);

  Resampled result;
  if (phase == ResamplerPhase::kMinimum) result.delay_frames = minimum_phase_delay(from_hz, to_hz);
  const std::size_t begin = padded.origin - result.delay_frames;
  if (whole > 0) result.cut_energy = energy(all.first(begin)) / whole;
  const double length = std::ceil(static_cast<double>(in.size()) * to_hz / from_hz);
  const std::size_t least = begin + static_cast<std::size_t>(length);
  std::size_t end = all.size();
  for (double behind = 0; end > least; --end) {
    behind += all[end - 1] * all[end - 1];
    if (behind > kNegligibleEnergy * whole) break;
  }
  result.samples.assign(all.begin() + static_cast<std::ptrdiff_t>(begin),
                        all.begin() + static_cast<std::ptrdiff_t>(end));
  return result;
}

bool has_minimum_phase(double from_hz, double to_hz) noexcept {
  constexpr double kMostRatio = 24;
  return to_hz <= kMostRatio * from_hz;
}

}  // namespace firbank
