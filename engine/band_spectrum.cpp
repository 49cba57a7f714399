#include "engine/band_spectrum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "engine/config/fourier.hpp"

namespace firbank {
namespace {

constexpr double kSeconds = 0.14;  // to the next power of two: 8,192 samples at 44.1 and 48 kHz
constexpr std::size_t kFewestSamples = 256;
constexpr std::size_t kMostSamples = 65'536;
constexpr double kLowestHz = 25;
constexpr double kHighestHz = 22'000;
constexpr int kBandsAnOctave = 6;

std::size_t samples_for(double sample_rate_hz) {
  const double wanted = std::clamp(kSeconds * sample_rate_hz, static_cast<double>(kFewestSamples),
                                   static_cast<double>(kMostSamples));
  return std::bit_ceil(static_cast<std::size_t>(wanted));
}

/// Half a band, as a ratio.
const double kEdge = std::exp2(0.5 / kBandsAnOctave);

}  // namespace

BandSpectrum::BandSpectrum(double sample_rate_hz) : window_(samples_for(sample_rate_hz)) {
  const std::size_t size = window_.size();
  bin_hz_ = sample_rate_hz / static_cast<double>(size);
  bins_.resize(size);
  double energy = 0;
  for (std::size_t n = 0; n < size; ++n) {
    const double phase = 2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(size);
    window_[n] = 0.5 - 0.5 * std::cos(phase);
    energy += window_[n] * window_[n];
  }
  // By Parseval: both halves of the spectrum, and a sine's mean square of 1/2.
  scale_ = 4 / (static_cast<double>(size) * energy);

  const double lowest = std::max(kLowestHz, 4 * bin_hz_);
  const double highest = std::min(kHighestHz, 0.5 * sample_rate_hz);
  const auto centre = [](int k) {
    return 1000 * std::exp2(static_cast<double>(k) / kBandsAnOctave);
  };
  int band = static_cast<int>(std::ceil(kBandsAnOctave * std::log2(lowest / 1000) - 1e-9));
  for (; centre(band) * kEdge <= highest; ++band) centres_hz_.push_back(centre(band));
}

std::vector<float> BandSpectrum::levels_db(const float* samples) {
  for (std::size_t n = 0; n < window_.size(); ++n) {
    bins_[n] = window_[n] * static_cast<double>(samples[n]);
  }
  fourier_transform(bins_);
  std::vector<float> levels;
  levels.reserve(centres_hz_.size());
  for (const double centre : centres_hz_) {
    const double value = power(centre / kEdge / bin_hz_, centre * kEdge / bin_hz_);
    levels.push_back(static_cast<float>(std::max(10 * std::log10(value + 1e-300), kFloorDb)));
  }
  return levels;
}

/// Bin k reaches from k - 1/2 to k + 1/2; of one that is cut its share counts.
double BandSpectrum::power(double from_bin, double to_bin) const {
  double sum = 0;
  for (auto k = static_cast<std::size_t>(std::lround(from_bin));; ++k) {
    const double middle = static_cast<double>(k);
    if (middle - 0.5 >= to_bin || k > bins_.size() / 2) break;
    const double share = std::min(middle + 0.5, to_bin) - std::max(middle - 0.5, from_bin);
    sum += share * std::norm(bins_[k]);
  }
  return scale_ * sum;
}

}  // namespace firbank
