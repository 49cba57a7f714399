// Numbers as little-endian bytes, on any machine.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace firbank {

inline void put_little(std::string& bytes, std::uint64_t number, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(number >> (8 * i));
}

inline void put_little(std::string& bytes, double number) {
  put_little(bytes, std::bit_cast<std::uint64_t>(number), 8);
}

inline std::uint64_t get_little(const unsigned char* bytes, std::size_t count) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number |= std::uint64_t{bytes[i]} << (8 * i);
  return number;
}

inline double get_little_double(const unsigned char* bytes) noexcept {
  return std::bit_cast<double>(get_little(bytes, 8));
}

/// Turns samples of `size` bytes each between little-endian and the machine's order.
inline void swap_little(unsigned char* bytes, std::size_t count, std::size_t size) noexcept {
  if constexpr (std::endian::native == std::endian::big) {
    for (std::size_t at = 0; at + size <= count; at += size) {
      for (std::size_t i = 0; i < size / 2; ++i) {
        const unsigned char kept = bytes[at + i];
        bytes[at + i] = bytes[at + size - 1 - i];
        bytes[at + size - 1 - i] = kept;
      }
    }
  }
}

}  // namespace firbank
