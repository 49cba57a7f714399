#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"

#include <array>
#include <bit>
#include <cstdint>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank::program {
namespace {

template <class... Exponents>
constexpr std::uint32_t polynomial(Exponents... exponents) {
  return ((std::uint32_t{1} << exponents) | ...);
}

/// The powers of each primitive polynomial below its order, from order 10 on: Stahnke, "Primitive
/// binary polynomials", Mathematics of Computation 27 (1973) 977-980.
constexpr std::array<std::uint32_t, kMostSequenceOrder - kLeastSequenceOrder + 1> kPolynomials = {
    polynomial(3, 0),       polynomial(2, 0),         polynomial(7, 4, 3, 0),
    polynomial(4, 3, 1, 0), polynomial(12, 11, 1, 0), polynomial(1, 0),
    polynomial(5, 3, 2, 0), polynomial(3, 0),         polynomial(7, 0)};

}  // namespace

std::vector<double> maximum_length_sequence(std::size_t order) {
  if (order < kLeastSequenceOrder || order > kMostSequenceOrder) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("a sequence of order {} is not allowed; {} to {} are", order,
                            kLeastSequenceOrder, kMostSequenceOrder));
  }
  // Fibonacci's form: bit k of the register is the output of k steps later.
  const std::uint32_t feedback = kPolynomials[order - kLeastSequenceOrder];
  std::uint32_t bits = 1;
  std::vector<double> sequence(sequence_frames(order));
  for (double& value : sequence) {
    value = (bits & 1) == 0 ? 1.0 : -1.0;
    const auto next = static_cast<std::uint32_t>(std::popcount(bits & feedback) & 1);
    bits = bits >> 1 | next << (order - 1);
  }
  return sequence;
}

}  // namespace firbank::program
