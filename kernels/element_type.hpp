// ElementType: what the elements of an array in memory are.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firbank {

enum class ElementType : std::uint8_t {
  kFloat32,
  kFloat64,
  kFloat16,  // of IEEE 754, as 16 bits
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kBool,  // a byte: 0, or anything else for 1
};

inline constexpr ElementType kElementTypes[] = {
    ElementType::kFloat32, ElementType::kFloat64, ElementType::kFloat16, ElementType::kInt8,
    ElementType::kInt16,   ElementType::kInt32,   ElementType::kInt64,   ElementType::kUint8,
    ElementType::kUint16,  ElementType::kUint32,  ElementType::kUint64,  ElementType::kBool};

constexpr std::size_t element_bytes(ElementType type) noexcept {
  switch (type) {
    case ElementType::kInt8:
    case ElementType::kUint8:
    case ElementType::kBool:
      return 1;
    case ElementType::kFloat16:
    case ElementType::kInt16:
    case ElementType::kUint16:
      return 2;
    case ElementType::kFloat32:
    case ElementType::kInt32:
    case ElementType::kUint32:
      return 4;
    case ElementType::kFloat64:
    case ElementType::kInt64:
    case ElementType::kUint64:
      break;
  }
  return 8;
}

}  // namespace firbank
