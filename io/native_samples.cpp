#include "io/native_samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "io/error.hpp"

namespace firbank {
namespace {

// A tile of interleaved samples stays in the nearest cache while it is turned round.
constexpr std::size_t kTileFrames = 32;
constexpr std::size_t kTileChannels = 64;

/// One rounding: of a product in float, where its factors are exact there, or of a sum in double.
template <class Stored, class Sample>
using Product =
    std::conditional_t<std::is_same_v<Sample, float> &&
                           (std::is_same_v<Stored, std::int16_t> || std::is_same_v<Stored, float>),
                       float, double>;

template <class Stored, class Sample>
struct Giving {
  double scale;  // by which to multiply
  double offset;

  Stored operator()(Sample sample, std::uint64_t& limited) const noexcept {
    const double value = (static_cast<double>(sample) - offset) * scale;
    if constexpr (std::is_floating_point_v<Stored>) {
      return static_cast<Stored>(value);
    } else {
      constexpr double kLeast = std::numeric_limits<Stored>::min();
      constexpr double kMost = std::numeric_limits<Stored>::max();
      const double rounded = std::nearbyint(value);
      if (rounded >= kLeast && rounded <= kMost) return static_cast<Stored>(rounded);
      if (std::isnan(rounded)) return 0;
      ++limited;
      return static_cast<Stored>(rounded < 0 ? kLeast : kMost);
    }
  }
};

/// Calls move(channel, frame, frames, stored, stride) with stretches of one channel, tile by tile;
/// stored[n * stride] is what belongs to frame + n of the channel.
template <class Stored, class Buffer, class Move>
void for_stretches(const NativeFormat& format, Buffer buffer, std::size_t channels,
                   std::size_t first, std::size_t frames, Move&& move) {
  using Plane =
      std::conditional_t<std::is_const_v<std::remove_pointer_t<Buffer>>, const Stored*, Stored*>;
  if (format.is_planar) {
    const auto* const planes = static_cast<Plane const*>(buffer);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      move(channel, std::size_t{0}, frames, planes[channel] + first, std::size_t{1});
    }
    return;
  }
  const Plane all = static_cast<Plane>(buffer) + first * channels;
  for (std::size_t frame = 0; frame < frames; frame += kTileFrames) {
    const std::size_t tile = std::min(kTileFrames, frames - frame);
    for (std::size_t from = 0; from < channels; from += kTileChannels) {
      const std::size_t to = std::min(channels, from + kTileChannels);
      for (std::size_t channel = from; channel < to; ++channel) {
        move(channel, frame, tile, all + frame * channels + channel, channels);
      }
    }
  }
}

template <class Stored, class Sample, class Value>
void take_as(const NativeFormat& format, const void* buffer, std::size_t channels,
             std::size_t first, std::size_t frames, Sample* const* planes, Value value) noexcept {
  for_stretches<Stored>(format, buffer, channels, first, frames,
                        [&](std::size_t channel, std::size_t frame, std::size_t count,
                            const Stored* stored, std::size_t stride) {
                          Sample* const plane = planes[channel] + frame;
                          for (std::size_t n = 0; n < count; ++n) {
                            plane[n] = static_cast<Sample>(value(stored[n * stride]));
                          }
                        });
}

template <class Stored, class Sample>
void take(const NativeFormat& format, const void* buffer, std::size_t channels, std::size_t first,
          std::size_t frames, Sample* const* planes) noexcept {
  using Real = Product<Stored, Sample>;
  if (format.offset == 0) {
    take_as<Stored>(format, buffer, channels, first, frames, planes,
                    [scale = static_cast<Real>(format.scale)](Stored stored) {
                      return static_cast<Real>(stored) * scale;
                    });
  } else {
    take_as<Stored>(format, buffer, channels, first, frames, planes,
                    [scale = format.scale, offset = format.offset](Stored stored) {
                      return static_cast<double>(stored) * scale + offset;
                    });
  }
}

template <class Stored, class Sample>
std::uint64_t give(const NativeFormat& format, const Sample* const* planes, std::size_t channels,
                   std::size_t first, std::size_t frames, void* buffer) noexcept {
  const Giving<Stored, Sample> value{1 / format.scale, format.offset};
  std::uint64_t limited = 0;
  for_stretches<Stored>(format, buffer, channels, first, frames,
                        [&](std::size_t channel, std::size_t frame, std::size_t count,
                            Stored* stored, std::size_t stride) {
                          const Sample* const plane = planes[channel] + frame;
                          for (std::size_t n = 0; n < count; ++n) {
                            stored[n * stride] = value(plane[n], limited);
                          }
                        });
  return limited;
}

}  // namespace

void NativeFormat::check(const char* what) const {
  if (!(std::isfinite(scale) && scale != 0 && std::isfinite(1 / scale))) {
    throw Error(ErrorKind::kConfiguration, std::string(what) + ": scale is " +
                                               std::to_string(scale) +
                                               "; allowed: finite numbers but 0");
  }
  if (!std::isfinite(offset)) {
    throw Error(
        ErrorKind::kConfiguration,
        std::string(what) + ": offset is " + std::to_string(offset) + "; allowed: finite numbers");
  }
}

template <class Sample>
void from_native(const NativeFormat& format, const void* buffer, std::size_t channels,
                 std::size_t first, std::size_t frames, Sample* const* planes) noexcept {
  switch (format.type) {
    case NativeType::kInt16:
      return take<std::int16_t>(format, buffer, channels, first, frames, planes);
    case NativeType::kInt32:
      return take<std::int32_t>(format, buffer, channels, first, frames, planes);
    case NativeType::kFloat32:
      return take<float>(format, buffer, channels, first, frames, planes);
    case NativeType::kFloat64:
      return take<double>(format, buffer, channels, first, frames, planes);
  }
}

template <class Sample>
std::uint64_t to_native(const NativeFormat& format, const Sample* const* planes,
                        std::size_t channels, std::size_t first, std::size_t frames,
                        void* buffer) noexcept {
  switch (format.type) {
    case NativeType::kInt16:
      return give<std::int16_t>(format, planes, channels, first, frames, buffer);
    case NativeType::kInt32:
      return give<std::int32_t>(format, planes, channels, first, frames, buffer);
    case NativeType::kFloat32:
      return give<float>(format, planes, channels, first, frames, buffer);
    case NativeType::kFloat64:
      return give<double>(format, planes, channels, first, frames, buffer);
  }
  return 0;
}

template void from_native(const NativeFormat&, const void*, std::size_t, std::size_t, std::size_t,
                          float* const*) noexcept;
template void from_native(const NativeFormat&, const void*, std::size_t, std::size_t, std::size_t,
                          double* const*) noexcept;
template std::uint64_t to_native(const NativeFormat&, const float* const*, std::size_t, std::size_t,
                                 std::size_t, void*) noexcept;
template std::uint64_t to_native(const NativeFormat&, const double* const*, std::size_t,
                                 std::size_t, std::size_t, void*) noexcept;

}  // namespace firbank
