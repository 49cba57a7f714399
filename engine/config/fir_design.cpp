#include "engine/config/fir_design.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>

#include <fmt/format.h>

#include "engine/config/fourier.hpp"
#include "io/error.hpp"

namespace firbank {
namespace {

using std::numbers::pi;

/// Where the analogue curve is read for frequency `part` x rate: there itself, but levelling out
/// beyond the design's range, with slope 0 at the Nyquist frequency.
double curve_part(double part) {
  constexpr double kFrom = 0.455;
  constexpr double kWidth = 0.5 - kFrom;
  if (part <= kFrom) return part;
  const double t = (part - kFrom) / kWidth;
  return kFrom + kWidth * (t / 2 + std::sin(pi * t) / (2 * pi));
}

/// The curve at `part` x rate, divided by |1 - 1/z|^zeros.
double residual(const Equaliser& equaliser, double sample_rate_hz, double part, std::size_t zeros) {
  const double read_part = curve_part(part);
  const double hz_over_zero = part == 0 ? sample_rate_hz / (2 * pi)
                                        : read_part * sample_rate_hz / (2 * std::sin(pi * part));
  return magnitude_without_zeros(equaliser, read_part * sample_rate_hz) *
         std::pow(hz_over_zero, static_cast<double>(zeros));
}

/// 1 up to `from`, falling to 0 at `end`.
double fade(double at, double from, double end) {
  if (at <= from) return 1;
  return at >= end ? 0 : 0.5 + 0.5 * std::cos(pi * (at - from) / (end - from));
}

constexpr double kFadePart = 0.125;

std::vector<double> minimum_phase(std::vector<std::complex<double>> magnitudes, std::size_t taps) {
  const std::size_t size = magnitudes.size();
  const auto scale = 1 / static_cast<double>(size);
  for (auto& value : magnitudes) value = std::log(std::max(value.real(), 1e-300));
  std::vector<std::complex<double>>& work = magnitudes;
  fourier_transform(work, true);
  for (std::size_t n = 0; n < size; ++n) {
    const double weight = n == 0 || n == size / 2 ? 1 : n < size / 2 ? 2 : 0;
    work[n] = work[n].real() * weight * scale;
  }
  fourier_transform(work);
  for (auto& value : work) value = std::exp(value);
  fourier_transform(work, true);
  std::vector<double> result(taps);
  const auto end = static_cast<double>(taps);
  for (std::size_t n = 0; n < taps; ++n) {
    result[n] = work[n].real() * scale * fade(static_cast<double>(n), (1 - kFadePart) * end, end);
  }
  return result;
}

std::vector<double> linear_phase(std::vector<std::complex<double>> magnitudes, std::size_t taps) {
  const std::size_t size = magnitudes.size();
  const auto scale = 1 / static_cast<double>(size);
  fourier_transform(magnitudes, true);
  const std::size_t centre = (taps - 1) / 2;
  std::vector<double> result(2 * centre + 1);
  const auto end = static_cast<double>(centre + 1);
  for (std::size_t k = 0; k <= centre; ++k) {
    const double value =
        magnitudes[k].real() * scale * fade(static_cast<double>(k), (1 - kFadePart) * end, end);
    result[centre + k] = result[centre - k] = value;
  }
  return result;
}

/// The filter times (1 - 1/z)^zeros.
void put_zeros_back(std::vector<double>& taps, std::size_t zeros) {
  for (std::size_t i = 0; i < zeros; ++i) {
    taps.push_back(0);
    for (std::size_t n = taps.size() - 1; n > 0; --n) taps[n] -= taps[n - 1];
  }
}

std::complex<double> response_at(const std::vector<double>& taps, double part) {
  const std::complex<double> z = std::polar(1.0, -2 * pi * part);
  std::complex<double> sum = 0;
  for (std::size_t n = taps.size(); n-- > 0;) sum = sum * z + taps[n];
  return sum;
}

/// Where a curve has corners and bands their middle, which may lie between the others.
std::vector<double> special_frequencies(const Equaliser& equaliser) {
  std::vector<double> all;
  for (const EqualiserBand& band : equaliser.bands) all.push_back(band.frequency_hz);
  for (const GraphicCurve& curve : equaliser.curves) {
    for (const GraphicPoint& point : curve) all.push_back(point.frequency_hz);
  }
  return all;
}

void measure(const Equaliser& equaliser, double sample_rate_hz, DesignedFilter& filter) {
  const std::size_t size = 8 * std::bit_ceil(std::max<std::size_t>(filter.taps.size(), 8'192));
  std::vector<std::complex<double>> spectrum(filter.taps.begin(), filter.taps.end());
  spectrum.resize(size);
  fourier_transform(spectrum);
  const double step_hz = sample_rate_hz / static_cast<double>(size);
  const auto first = std::max<std::size_t>(1, static_cast<std::size_t>(kDesignLeastHz / step_hz));
  const auto last = static_cast<std::size_t>(kDesignMostOfRate * static_cast<double>(size));
  const auto compare = [&](double hz, std::complex<double> response) {
    const double ratio = std::abs(response) / magnitude(equaliser, hz);
    const double error_db = std::abs(20 * std::log10(std::max(ratio, 1e-30)));
    if (error_db <= filter.worst_error_db) return;
    filter.worst_error_db = error_db;
    filter.worst_error_hz = hz;
  };
  for (std::size_t k = first; k <= last; ++k) {
    compare(static_cast<double>(k) * step_hz, spectrum[k]);
  }
  // Not of a filter that is too short anyway.
  if (!filter.within_tolerance()) return;
  for (const double hz : special_frequencies(equaliser)) {
    if (hz < kDesignLeastHz || hz > kDesignMostOfRate * sample_rate_hz) continue;
    compare(hz, response_at(filter.taps, hz / sample_rate_hz));
  }
}

DesignedFilter design_with(const Equaliser& equaliser, double sample_rate_hz, std::size_t taps) {
  const std::size_t zeros = zeros_at_dc(equaliser);
  const std::size_t size = 8 * std::bit_ceil(std::max<std::size_t>(taps, 8'192));
  std::vector<std::complex<double>> magnitudes(size);
  for (std::size_t k = 0; k <= size / 2; ++k) {
    const double part = static_cast<double>(k) / static_cast<double>(size);
    magnitudes[k] = residual(equaliser, sample_rate_hz, part, zeros);
    if (k > 0) magnitudes[size - k] = magnitudes[k];
  }
  const std::size_t own_taps = taps - zeros;
  DesignedFilter filter;
  if (equaliser.phase == FilterPhase::kMinimum) {
    filter.taps = minimum_phase(std::move(magnitudes), own_taps);
  } else {
    filter.taps = linear_phase(std::move(magnitudes), own_taps);
  }
  put_zeros_back(filter.taps, zeros);
  // About its centre, each pair of factors is -|1 - 1/z|^2.
  if (equaliser.phase == FilterPhase::kLinear && zeros % 4 != 0) {
    for (double& tap : filter.taps) tap = -tap;
  }
  measure(equaliser, sample_rate_hz, filter);
  return filter;
}

}  // namespace

DesignedFilter design_filter(const Equaliser& equaliser, double sample_rate_hz) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, message);
  };
  if (!(sample_rate_hz > 2 * kDesignLeastHz)) {
    refuse(fmt::format("equaliser: the sample rate is {} Hz; above {} is allowed", sample_rate_hz,
                       2 * kDesignLeastHz));
  }
  const std::size_t least = kLeastDesignTaps + zeros_at_dc(equaliser);
  if (equaliser.taps != 0) {
    if (equaliser.taps < least || equaliser.taps > kMostDesignTaps) {
      refuse(fmt::format("equaliser: taps is {}; {} to {} are allowed, or 0 for a choice",
                         equaliser.taps, least, kMostDesignTaps));
    }
    return design_with(equaliser, sample_rate_hz, equaliser.taps);
  }
  DesignedFilter best;
  for (std::size_t taps = std::max<std::size_t>(1'024, std::bit_ceil(least));
       taps <= kMostAutomaticTaps; taps *= 2) {
    DesignedFilter filter = design_with(equaliser, sample_rate_hz, taps);
    if (filter.within_tolerance()) return filter;
    if (best.taps.empty() || filter.worst_error_db < best.worst_error_db) best = std::move(filter);
  }
  return best;
}

}  // namespace firbank
