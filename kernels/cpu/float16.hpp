// Numbers of 16 bits (IEEE 754 binary16) in plain C++, exact and rounded to nearest even, for
// processors and places without an instruction for them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace firbank {

inline float from_float16(std::uint16_t half) noexcept {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31;
  const std::uint32_t exponent = half >> 10 & 0x1F;
  const std::uint32_t mantissa = half & 0x3FF;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign == 0 ? magnitude : -magnitude;
  }
  const std::uint32_t biased = exponent == 0x1F ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | biased << 23 | mantissa << 13);
}

/// Rounded once, also from double; from 65,520 on infinity.
inline std::uint16_t to_float16(double value) noexcept {
  const auto sign = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(value) >> 48 & 0x8000);
  const double magnitude = std::abs(value);
  if (magnitude != magnitude) return static_cast<std::uint16_t>(sign | 0x7E00);
  if (magnitude >= 65'520.0) return static_cast<std::uint16_t>(sign | 0x7C00);
  // Steps of 2^(exponent - 10) or, of subnormal numbers, of 2^-24. A sum rounds up into the next
  // exponent by itself, since the two fields are neighbours.
  if (magnitude < 0x1p-14) {
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint32_t>(std::nearbyint(magnitude * 0x1p24)));
  }
  const auto bits = std::bit_cast<std::uint64_t>(magnitude);
  const auto exponent = static_cast<std::uint32_t>(bits >> 52) - 1'023 + 15;
  const std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  const auto kept = static_cast<std::uint32_t>(mantissa >> 42);
  const std::uint64_t rest = mantissa & ((std::uint64_t{1} << 42) - 1);
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 41;
  const bool up = rest > kHalf || (rest == kHalf && kept % 2 == 1);
  return static_cast<std::uint16_t>(sign | ((exponent << 10) + kept + (up ? 1 : 0)));
}

}  // namespace firbank
