#include "engine/cost_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace firbank {

double CostModel::transform(std::size_t transform_frames) const {
  const auto octave = static_cast<std::size_t>(std::bit_width(transform_frames)) - 1;
  return transform_ns[std::clamp<std::size_t>(octave, 4, 4 + transform_ns.size() - 1) - 4];
}

double CostModel::product(double bytes) const {
  const double last = static_cast<double>(product_ns.size() - 1);
  const double sweeps = std::max(bytes / static_cast<double>(kFirstSweepBytes), 1.0);
  const double place = std::min(std::log2(sweeps) / 2, last);
  const auto below = static_cast<std::size_t>(std::min(place, last - 1));
  const double share = place - static_cast<double>(below);
  return product_ns[below] * (1 - share) + product_ns[below + 1] * share;
}

double CostModel::pair(double bytes) const {
  // The arithmetic of two and the memory traffic of one.
  return std::max(2 * product_ns.front(), product(bytes));
}

CostModel device_costs() {
  constexpr double kNsPerByte = 1 / 4.3e3;
  CostModel costs;
  for (std::size_t k = 0; k < costs.transform_ns.size(); ++k) {
    // Samples are read and a spectrum is written; beyond 8,192 samples there is a pass between.
    const double samples = static_cast<double>(std::size_t{16} << k);
    costs.transform_ns[k] = samples * 8 * (samples > 8'192 ? 2 : 1) * kNsPerByte / 0.7;
  }
  const double spectrum_ns = 8 * kNsPerByte / 0.85;
  costs.product_ns.fill(spectrum_ns / 2);
  costs.product_ns.back() = spectrum_ns;
  costs.edge_ns = 1e-3;
  costs.sum_ns = 64 * 2 * spectrum_ns;
  costs.slice_ns = 5'000;
  costs.add_ns = 4 * kNsPerByte;
  costs.direct_product_ns = 1 / (0.5 * 33.5e3);
  return costs;
}

}  // namespace firbank
