#include "engine/config/equaliser.hpp"

#include <algorithm>
#include <cmath>

namespace firbank {
namespace {

/// |a s^2 + b s + c|^2 at s = j u.
double square(double a, double b, double c, double u) {
  const double real = c - a * u * u;
  const double imaginary = b * u;
  return real * real + imaginary * imaginary;
}

double magnitude_without_zeros(const EqualiserBand& band, double hz) {
  const double u = hz / band.frequency_hz;
  const double a = std::pow(10.0, band.gain_db / 40);
  const double slope = std::sqrt(a) / band.q;
  switch (band.shape) {
    case BandShape::kPeak:
      return std::sqrt(square(1, a / band.q, 1, u) / square(1, 1 / (a * band.q), 1, u));
    case BandShape::kLowShelf:
      return a * std::sqrt(square(1, slope, a, u) / square(a, slope, 1, u));
    case BandShape::kHighShelf:
      return a * std::sqrt(square(a, slope, 1, u) / square(1, slope, a, u));
    case BandShape::kLowPass:
      return 1 / std::sqrt(square(1, 1 / band.q, 1, u));
    case BandShape::kHighPass:
      return 1 / (band.frequency_hz * band.frequency_hz * std::sqrt(square(1, 1 / band.q, 1, u)));
  }
  return 1;
}

double gain_db(const GraphicCurve& curve, double hz) {
  if (curve.empty()) return 0;
  if (hz <= curve.front().frequency_hz) return curve.front().gain_db;
  if (hz >= curve.back().frequency_hz) return curve.back().gain_db;
  const auto above = std::upper_bound(
      curve.begin(), curve.end(), hz,
      [](double frequency, const GraphicPoint& point) { return frequency < point.frequency_hz; });
  const GraphicPoint& from = *std::prev(above);
  const double part =
      std::log(hz / from.frequency_hz) / std::log(above->frequency_hz / from.frequency_hz);
  return from.gain_db + part * (above->gain_db - from.gain_db);
}

}  // namespace

double magnitude_without_zeros(const Equaliser& equaliser, double hz) {
  double db = equaliser.gain_db;
  for (const GraphicCurve& curve : equaliser.curves) db += gain_db(curve, hz);
  double product = std::pow(10.0, db / 20);
  for (const EqualiserBand& band : equaliser.bands) product *= magnitude_without_zeros(band, hz);
  return product;
}

std::size_t zeros_at_dc(const Equaliser& equaliser) {
  return 2 * static_cast<std::size_t>(std::count_if(
                 equaliser.bands.begin(), equaliser.bands.end(),
                 [](const auto& band) { return band.shape == BandShape::kHighPass; }));
}

double magnitude(const Equaliser& equaliser, double hz) {
  return magnitude_without_zeros(equaliser, hz) *
         std::pow(hz, static_cast<double>(zeros_at_dc(equaliser)));
}

}  // namespace firbank
