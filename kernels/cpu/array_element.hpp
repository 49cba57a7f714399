// One element of an array in memory, of any type and alignment, to a sample and from one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/float16.hpp"

namespace firbank {

/// The elements that C++ has no number type of the same form for.
struct Float16Element {
  std::uint16_t bits;
};
struct BoolElement {
  std::uint8_t byte;
};

template <class Element, class Sample>
inline Sample load_element(const std::byte* at) noexcept {
  Element element;
  std::memcpy(&element, at, sizeof element);
  if constexpr (std::is_same_v<Element, Float16Element>) {
    return static_cast<Sample>(from_float16(element.bits));
  } else if constexpr (std::is_same_v<Element, BoolElement>) {
    return static_cast<Sample>(element.byte != 0 ? 1 : 0);
  } else {
    return static_cast<Sample>(element);
  }
}

template <class Element, class Sample>
inline void store_element(Sample sample, std::byte* at) noexcept {
  Element element;
  if constexpr (std::is_same_v<Element, Float16Element>) {
    element.bits = to_float16(static_cast<double>(sample));
  } else {
    element = static_cast<Element>(sample);
  }
  std::memcpy(at, &element, sizeof element);
}

}  // namespace firbank
