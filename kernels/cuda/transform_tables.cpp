#include "kernels/cuda/transform_tables.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace firbank::cuda {
namespace {

constexpr std::uint32_t kLeastThreads = 64;  // of a thread block with inner transforms

}  // namespace

template <class Real>
Transform<Real> transform_shape(std::uint32_t log2_bins) {
  Transform<Real> transform{};
  transform.log2_bins = log2_bins;
  transform.log2_inner = log2_bins;
  while (transform.log2_inner > kMaxLog2Inner<Real>) {
    transform.log2_inner -= 3;
    ++transform.outer;
  }
  const std::uint32_t threads = 1U << (transform.log2_inner - 3);
  transform.batch = std::max(1U, kLeastThreads / threads);
  return transform;
}

template <class Real>
std::vector<Complex<Real>> transform_twiddles(const Transform<Real>& transform) {
  std::vector<std::uint32_t> radices(transform.outer, 8);
  std::uint32_t left = transform.log2_inner;
  if (left % 3 != 0) {
    radices.push_back(1U << (left % 3));
    left -= left % 3;
  }
  radices.insert(radices.end(), left / 3, 8);

  std::vector<Complex<Real>> twiddles;
  std::vector<double> turns{0.25};  // of each block, in turns
  for (const std::uint32_t radix : radices) {
    std::vector<double> children;
    children.reserve(turns.size() * radix);
    for (const double theta : turns) {
      for (std::uint32_t r = 1; r <= 4; ++r) {
        const double angle = 2 * std::numbers::pi * theta * r / radix;
        twiddles.push_back(
            {static_cast<Real>(std::cos(angle)), static_cast<Real>(std::sin(angle))});
      }
      for (std::uint32_t k = 0; k < radix; ++k) children.push_back((theta + k) / radix);
    }
    turns = std::move(children);
  }
  return twiddles;
}

template Transform<float> transform_shape(std::uint32_t);
template Transform<double> transform_shape(std::uint32_t);
template std::vector<Complex<float>> transform_twiddles(const Transform<float>&);
template std::vector<Complex<double>> transform_twiddles(const Transform<double>&);

}  // namespace firbank::cuda
