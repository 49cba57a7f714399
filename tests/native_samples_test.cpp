// Samples in a caller's memory: every type, layout, scale and precision, there and back.
#include "io/native_samples.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

constexpr NativeType kTypes[] = {NativeType::kInt16, NativeType::kInt32, NativeType::kFloat32,
                                 NativeType::kFloat64};

/// A buffer of any type and layout; values are read and written as double.
class Buffer {
 public:
  Buffer(const NativeFormat& format, std::size_t channels, std::size_t frames)
      : format_(format), channels_(channels), frames_(frames), bytes_(channels * frames * 8) {
    for (std::size_t c = 0; c < channels; ++c) planes_.push_back(at(c, 0));
  }

  void* get() { return format_.is_planar ? static_cast<void*>(planes_.data()) : bytes_.data(); }

  double operator()(std::size_t channel, std::size_t frame) {
    unsigned char* const place = at(channel, frame);
    switch (format_.type) {
      case NativeType::kInt16:
        return *reinterpret_cast<std::int16_t*>(place);
      case NativeType::kInt32:
        return *reinterpret_cast<std::int32_t*>(place);
      case NativeType::kFloat32:
        return static_cast<double>(*reinterpret_cast<float*>(place));
      default:
        return *reinterpret_cast<double*>(place);
    }
  }
  void set(std::size_t channel, std::size_t frame, double value) {
    unsigned char* const place = at(channel, frame);
    switch (format_.type) {
      case NativeType::kInt16:
        *reinterpret_cast<std::int16_t*>(place) = static_cast<std::int16_t>(value);
        break;
      case NativeType::kInt32:
        *reinterpret_cast<std::int32_t*>(place) = static_cast<std::int32_t>(value);
        break;
      case NativeType::kFloat32:
        *reinterpret_cast<float*>(place) = static_cast<float>(value);
        break;
      default:
        *reinterpret_cast<double*>(place) = value;
    }
  }

 private:
  std::size_t size() const {
    if (format_.type == NativeType::kInt16) return 2;
    return format_.type == NativeType::kFloat64 ? 8 : 4;
  }
  unsigned char* at(std::size_t channel, std::size_t frame) {
    const std::size_t sample =
        format_.is_planar ? channel * frames_ + frame : frame * channels_ + channel;
    return bytes_.data() + sample * size();
  }

  NativeFormat format_;
  std::size_t channels_;
  std::size_t frames_;
  std::vector<unsigned char> bytes_;
  std::vector<unsigned char*> planes_;
};

template <class Sample>
class NativeSamples : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(NativeSamples, SampleTypes);

TYPED_TEST(NativeSamples, GoThereAndBackInEveryForm) {
  std::mt19937_64 random(3);
  for (int turn = 0; turn < 200; ++turn) {
    NativeFormat format;
    format.type = kTypes[random() % 4];
    format.is_planar = random() % 2 == 0;
    format.scale = turn % 3 == 0 ? 1 : 0.195;
    format.offset = turn % 5 == 0 ? -3.5 : 0;
    const std::size_t channels = 1 + random() % 150;
    const std::size_t first = random() % 40;
    const std::size_t frames = 1 + random() % 90;
    SCOPED_TRACE(testing::Message() << "seed 3, turn " << turn << ", " << channels
                                    << " channels, frames " << first << " to " << first + frames);
    Buffer in(format, channels, first + frames);
    Buffer out(format, channels, first + frames);
    std::vector<std::vector<TypeParam>> planes(channels, std::vector<TypeParam>(frames));
    std::vector<TypeParam*> pointers;
    for (std::size_t c = 0; c < channels; ++c) {
      pointers.push_back(planes[c].data());
      for (std::size_t n = 0; n < first + frames; ++n) {
        in.set(c, n, static_cast<double>(static_cast<std::int64_t>(random() % 60'000) - 30'000));
        out.set(c, n, 77);
      }
    }
    from_native(format, in.get(), channels, first, frames, pointers.data());
    const std::uint64_t limited =
        to_native(format, pointers.data(), channels, first, frames, out.get());
    EXPECT_EQ(limited, 0u);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t n = 0; n < frames; ++n) {
        const double stored = in(c, first + n);
        const double wanted = stored * format.scale + format.offset;
        ASSERT_NEAR(static_cast<double>(planes[c][n]), wanted,
                    std::abs(wanted) * (sizeof(TypeParam) == 4 ? 2e-7 : 1e-15))
            << "channel " << c << ", frame " << n;
        ASSERT_NEAR(out(c, first + n), stored, std::abs(stored) * 4e-7) << c << ", " << n;
      }
      for (std::size_t n = 0; n < first; ++n) ASSERT_EQ(out(c, n), 77) << "written before `first`";
    }
  }
}

TYPED_TEST(NativeSamples, AreRoundedAndLimitedOnTheWayOut) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    double value, stored;
    bool is_limited;
  };
  const Case cases[] = {
      {0.5, 0, false},           {1.5, 2, false},        {-1.6, -2, false},
      {32'767.4, 32'767, false}, {32'768, 32'767, true}, {-32'768, -32'768, false},
      {-32'769, -32'768, true},  {1e30, 32'767, true},   {-INFINITY, -32'768, true},
      {kNan, 0, false}};
  NativeFormat format;
  format.type = NativeType::kInt16;
  for (const Case& one : cases) {
    TypeParam sample = static_cast<TypeParam>(one.value);
    TypeParam* const plane = &sample;
    std::int16_t stored = 99;
    EXPECT_EQ(to_native(format, &plane, 1, 0, 1, &stored), one.is_limited ? 1u : 0u) << one.value;
    EXPECT_EQ(stored, one.stored) << one.value;
  }
  format.type = NativeType::kFloat64;
  TypeParam sample = static_cast<TypeParam>(kNan);
  TypeParam* const plane = &sample;
  double stored = 0;
  EXPECT_EQ(to_native(format, &plane, 1, 0, 1, &stored), 0u);
  EXPECT_TRUE(std::isnan(stored));
}

// An offset that nearly cancels the value costs no digits: 65,535 steps around 32,768.
TYPED_TEST(NativeSamples, AnOffsetCostsNoPrecision) {
  NativeFormat format;
  format.type = NativeType::kInt32;
  format.scale = 0.1;
  format.offset = -3'276.8;
  for (const std::int32_t stored : {32'768, 32'769, 32'000}) {
    TypeParam sample = 0;
    TypeParam* const plane = &sample;
    from_native(format, &stored, 1, 0, 1, &plane);
    EXPECT_NEAR(static_cast<double>(sample), (stored - 32'768) * 0.1, 1e-5 + 1e-7 * 100);
    EXPECT_NEAR(static_cast<double>(sample), (stored - 32'768) * 0.1,
                std::abs(stored - 32'768) * 0.1 * 1e-6 + 1e-12 * 3'276.8);
  }
}

TEST(NativeFormat, RefusesWhatCannotBeTurnedRound) {
  for (const double scale : {0.0, double{NAN}, double{INFINITY}, 1e-320}) {
    NativeFormat format;
    format.scale = scale;
    EXPECT_THROW(format.check("in"), Error) << scale;
  }
  NativeFormat format;
  format.offset = INFINITY;
  EXPECT_THROW(format.check("in"), Error);
  format.offset = -5;
  format.scale = -2;
  EXPECT_NO_THROW(format.check("in"));
}

}  // namespace
}  // namespace firbank
