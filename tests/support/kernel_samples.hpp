// What the tests of CUDA kernels draw and compare: numbers, noise, errors, those that are allowed,
// and bits.
//
// Thread: any.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace firbank::test {

using Random = std::mt19937_64;

/// A number from `first` to `last`, both included.
inline std::uint32_t between(Random& random, std::uint32_t first, std::uint32_t last) {
  return first + static_cast<std::uint32_t>(random() % (last - first + 1));
}

/// sqrt(sum of squared errors / sum of squares), built up value by value.
class RelativeError {
 public:
  void add(double actual, double oracle) {
    error_ += (actual - oracle) * (actual - oracle);
    power_ += oracle * oracle;
  }
  double value() const { return error_ == 0 ? 0 : std::sqrt(error_ / power_); }

 private:
  double error_ = 0;
  double power_ = 0;
};

/// Relative L2 error that is allowed against a direct convolution.
template <class Real>
constexpr double kLimit = sizeof(Real) == sizeof(float) ? 1e-6 : 1e-13;

/// Uniform in [-1, 1).
template <class Real>
std::vector<Real> noise(Random& random, std::size_t count) {
  std::uniform_real_distribution<Real> uniform(-1, 1);
  std::vector<Real> samples(count);
  for (Real& sample : samples) sample = uniform(random);
  return samples;
}

template <class Container>
bool same_bits(const Container& a, const Container& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0;
}

}  // namespace firbank::test
