// What the tests of CUDA kernels compare: noise, errors that are allowed, and bits.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

namespace firbank::test {

/// Relative L2 error that is allowed against a direct convolution.
template <class Real>
constexpr double kLimit = sizeof(Real) == sizeof(float) ? 1e-6 : 1e-13;

/// Uniform in [-1, 1).
template <class Real>
std::vector<Real> noise(std::mt19937_64& random, std::size_t count) {
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
