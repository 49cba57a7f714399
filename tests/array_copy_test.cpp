// Copies between arrays and planes on every instruction set: every type, strides of both signs,
// pointers without alignment, and nothing written but the elements named.
#include "kernels/cpu/array_copy.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/instruction_sets.hpp"

namespace firbank {
namespace {

using ArrayCopyTest = test::InstructionSetTest;
using Random = std::mt19937_64;

constexpr std::byte kGuard{0xA5};

/// The value of a number of 16 bits, by its definition.
double float16_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  double magnitude = std::ldexp(mantissa, -24);
  if (exponent > 0) magnitude = std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 31) magnitude = mantissa == 0 ? std::numeric_limits<double>::infinity() : NAN;
  return bits >> 15 == 0 ? magnitude : -magnitude;
}

/// The nearest number of 16 bits to `value`, not NaN, by bisection of all that there are.
std::uint16_t nearest_float16(double value) {
  const double magnitude = std::abs(value);
  std::uint16_t below = 0;
  std::uint16_t above = 0x7C00;
  while (above - below > 1) {
    const auto middle = static_cast<std::uint16_t>((below + above) / 2);
    (float16_value(middle) <= magnitude ? below : above) = middle;
  }
  // Infinity takes the place of 2^16, the number that would follow the largest.
  const double upper = above == 0x7C00 ? 65'536.0 : float16_value(above);
  const double from_below = magnitude - float16_value(below);
  const double from_above = upper - magnitude;
  const bool up = from_above < from_below || (from_above == from_below && below % 2 == 1);
  return static_cast<std::uint16_t>((up ? above : below) | (std::signbit(value) ? 0x8000 : 0));
}

/// What a sample becomes of the element at `at`.
template <class Sample>
Sample value_of(const std::byte* at, ElementType type) {
  const auto as = [at](auto value) {
    std::memcpy(&value, at, sizeof value);
    return static_cast<Sample>(value);
  };
  switch (type) {
    case ElementType::kFloat32:
      return as(float{});
    case ElementType::kFloat64:
      return as(double{});
    case ElementType::kInt8:
      return as(std::int8_t{});
    case ElementType::kInt16:
      return as(std::int16_t{});
    case ElementType::kInt32:
      return as(std::int32_t{});
    case ElementType::kInt64:
      return as(std::int64_t{});
    case ElementType::kUint8:
      return as(std::uint8_t{});
    case ElementType::kUint16:
      return as(std::uint16_t{});
    case ElementType::kUint32:
      return as(std::uint32_t{});
    case ElementType::kUint64:
      return as(std::uint64_t{});
    case ElementType::kBool:
      return *at == std::byte{0} ? Sample{0} : Sample{1};
    case ElementType::kFloat16:
      break;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return static_cast<Sample>(float16_value(bits));
}

/// Equal to the last bit, or both NaN.
template <class Sample>
bool same(Sample a, Sample b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

/// Elements of any bits, so of any value; those of bool are 0 or 1.
std::vector<std::byte> random_bytes(Random& random, std::size_t count, ElementType type) {
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(type == ElementType::kBool ? random() % 2 : random() % 256);
  }
  return bytes;
}

std::size_t between(Random& random, std::size_t first, std::size_t last) {
  return first + random() % (last - first + 1);
}

/// An array of `count` rows of `width` adjacent elements, somewhere in `bytes` with room around.
struct Placed {
  ElementType type;
  std::ptrdiff_t stride;  // elements
  std::size_t width;
  std::size_t count;
  std::size_t start;  // bytes
  std::size_t size;   // of all bytes

  Placed(Random& random, ElementType element_type, std::size_t row_width, std::size_t rows)
      : type(element_type), width(row_width), count(rows) {
    const std::size_t step = width + (random() % 2 == 0 ? 0 : between(random, 0, 9));
    const bool backwards = random() % 3 == 0;
    stride = backwards ? -static_cast<std::ptrdiff_t>(step) : static_cast<std::ptrdiff_t>(step);
    const std::size_t offset = between(random, 1, 70);
    start = offset + (backwards && count > 0 ? (count - 1) * step * element_bytes(type) : 0);
    size = offset + (count * step + width) * element_bytes(type) + 70;
  }

  std::size_t at(std::size_t row, std::size_t column) const {
    const auto element =
        static_cast<std::ptrdiff_t>(row) * stride + static_cast<std::ptrdiff_t>(column);
    return start +
           static_cast<std::size_t>(element * static_cast<std::ptrdiff_t>(element_bytes(type)));
  }
};

/// Planes of odd alignment with guards around.
template <class Sample>
struct GuardedPlanes {
  static constexpr Sample kAround = 77;
  std::vector<std::vector<Sample>> storage;
  std::vector<Sample*> planes;

  GuardedPlanes(Random& random, std::size_t channels, std::size_t count) : storage(channels) {
    for (auto& plane : storage) {
      const std::size_t before = between(random, 1, 17);
      plane.assign(before + count + 20, kAround);
      planes.push_back(plane.data() + before);
    }
  }

  void expect_untouched_around(std::size_t count) const {
    for (std::size_t c = 0; c < storage.size(); ++c) {
      const auto* const first = planes[c];
      ASSERT_TRUE(std::all_of(storage[c].data(), first, [](Sample x) { return x == kAround; }));
      ASSERT_TRUE(std::all_of(first + count, storage[c].data() + storage[c].size(),
                              [](Sample x) { return x == kAround; }));
    }
  }
};

/// Sizes about a vector, a tile and a patch.
std::size_t random_count(Random& random) {
  return random() % 4 == 0 ? between(random, 0, 700) : between(random, 0, 40);
}

template <class Sample>
void gathers(InstructionSet set) {
  const ArrayCopy<Sample>& copy = *array_copy<Sample>(set);
  for (unsigned seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const ElementType type = kElementTypes[seed % std::size(kElementTypes)];
    const std::size_t count = random_count(random);
    const bool one_channel = seed / std::size(kElementTypes) % 3 == 0;
    const std::size_t channels = one_channel         ? 1
                                 : random() % 5 == 0 ? between(random, 30, 70)
                                                     : between(random, 1, 12);
    const Placed array(random, type, channels, count);
    const std::vector<std::byte> bytes = random_bytes(random, array.size, type);
    GuardedPlanes<Sample> to(random, channels, count);
    const std::byte* const from = bytes.data() + array.start;
    if (one_channel) {
      copy.gather(from, type, array.stride, to.planes[0], count);
    } else {
      copy.gather_frames(from, type, array.stride, channels, to.planes.data(), count);
    }
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t n = 0; n < count; ++n) {
        ASSERT_TRUE(same(to.planes[c][n], value_of<Sample>(bytes.data() + array.at(n, c), type)))
            << "channel " << c << " of " << channels << ", frame " << n << " of " << count
            << ", type " << static_cast<int>(type) << ", stride " << array.stride;
      }
    }
    to.expect_untouched_around(count);
  }
}

template <class Sample>
void repeats_with_a_stride_of_0(InstructionSet set) {
  const ArrayCopy<Sample>& copy = *array_copy<Sample>(set);
  const std::int16_t value = -12'345;
  std::vector<Sample> plane(101, 7);
  copy.gather(&value, ElementType::kInt16, 0, plane.data(), 100);
  EXPECT_EQ(std::count(plane.begin(), plane.end(), Sample{-12'345}), 100);
  EXPECT_EQ(plane[100], 7);
}

/// Numbers of every size that a number of 16 bits can have, and beyond.
template <class Sample>
Sample random_sample(Random& random) {
  const auto mantissa = static_cast<double>(static_cast<std::int64_t>(random())) * 0x1p-63;
  const auto exponent = static_cast<int>(random() % 45) - 27;
  auto sample = static_cast<Sample>(std::ldexp(mantissa, exponent));
  const std::size_t kind = random() % 16;
  if (kind == 0) sample = std::numeric_limits<Sample>::infinity();
  if (kind == 1) sample = std::numeric_limits<Sample>::quiet_NaN();
  if (kind == 2) {  // halfway between two numbers of 16 bits, or next to that
    const auto bits = static_cast<std::uint16_t>(random() % 0x7BFF);
    sample = static_cast<Sample>((float16_value(bits) + float16_value(bits + 1)) / 2);
    if (random() % 2 == 0) sample = std::nextafter(sample, Sample{random() % 2 == 0 ? 0 : 1e9F});
  }
  return random() % 2 == 0 ? sample : -sample;
}

template <class Sample>
void expect_element(const std::byte* at, ElementType type, Sample sample) {
  if (type == ElementType::kFloat32) {
    float value = 0;
    std::memcpy(&value, at, sizeof value);
    ASSERT_TRUE(same(value, static_cast<float>(sample))) << sample;
  } else if (type == ElementType::kFloat64) {
    double value = 0;
    std::memcpy(&value, at, sizeof value);
    ASSERT_TRUE(same(value, static_cast<double>(sample))) << sample;
  } else {
    std::uint16_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    if (std::isnan(sample)) {
      ASSERT_TRUE(std::isnan(float16_value(bits)));
    } else {
      ASSERT_EQ(bits, nearest_float16(static_cast<double>(sample))) << sample;
    }
  }
}

template <class Sample>
void scatters(InstructionSet set) {
  const ArrayCopy<Sample>& copy = *array_copy<Sample>(set);
  constexpr ElementType kTargets[] = {ElementType::kFloat32, ElementType::kFloat64,
                                      ElementType::kFloat16};
  for (unsigned seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const ElementType type = kTargets[seed % 3];
    const std::size_t count = random_count(random);
    const bool one_channel = seed / 3 % 3 == 0;
    const std::size_t channels = one_channel         ? 1
                                 : random() % 5 == 0 ? between(random, 30, 70)
                                                     : between(random, 1, 12);
    GuardedPlanes<Sample> from(random, channels, count);
    for (Sample* plane : from.planes) {
      for (std::size_t n = 0; n < count; ++n) plane[n] = random_sample<Sample>(random);
    }
    const Placed array(random, type, channels, count);
    std::vector<std::byte> bytes(array.size, kGuard);
    std::byte* const to = bytes.data() + array.start;
    if (one_channel) {
      copy.scatter(from.planes[0], to, type, array.stride, count);
    } else {
      copy.scatter_frames(from.planes.data(), channels, to, type, array.stride, count,
                          random() % 2 == 0);
    }
    for (std::size_t n = 0; n < count; ++n) {
      for (std::size_t c = 0; c < channels; ++c) {
        std::byte* const at = bytes.data() + array.at(n, c);
        expect_element(at, type, from.planes[c][n]);
        if (testing::Test::HasFatalFailure()) return;
        std::fill_n(at, element_bytes(type), kGuard);
      }
    }
    ASSERT_EQ(std::count(bytes.begin(), bytes.end(), kGuard), std::ssize(bytes))
        << "wrote beside an element";
  }
}

/// Every number of 16 bits there is, there and back.
template <class Sample>
void keeps_every_float16(InstructionSet set) {
  const ArrayCopy<Sample>& copy = *array_copy<Sample>(set);
  std::vector<std::uint16_t> all(65'536), back(65'536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  std::vector<Sample> plane(all.size());
  copy.gather(all.data(), ElementType::kFloat16, 1, plane.data(), plane.size());
  copy.scatter(plane.data(), back.data(), ElementType::kFloat16, 1, plane.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(same(plane[i], static_cast<Sample>(float16_value(all[i])))) << i;
    if (std::isnan(plane[i])) {
      ASSERT_TRUE(std::isnan(float16_value(back[i]))) << i;
    } else {
      ASSERT_EQ(back[i], all[i]);
    }
  }
}

TEST_P(ArrayCopyTest, GathersEveryTypeIntoFloat) {
  gathers<float>(GetParam());
}
TEST_P(ArrayCopyTest, GathersEveryTypeIntoDouble) {
  gathers<double>(GetParam());
}
TEST_P(ArrayCopyTest, RepeatsWithAStrideOf0) {
  repeats_with_a_stride_of_0<float>(GetParam());
  repeats_with_a_stride_of_0<double>(GetParam());
}
TEST_P(ArrayCopyTest, ScattersFloat) {
  scatters<float>(GetParam());
}
TEST_P(ArrayCopyTest, ScattersDouble) {
  scatters<double>(GetParam());
}
TEST_P(ArrayCopyTest, KeepsEveryFloat16) {
  keeps_every_float16<float>(GetParam());
  keeps_every_float16<double>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, ArrayCopyTest, testing::ValuesIn(kInstructionSets),
                         test::test_name);

}  // namespace
}  // namespace firbank
