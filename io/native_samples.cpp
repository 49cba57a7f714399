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

// Interleaved samples are turned round in tiles that stay in the nearest cache. There rows are as
// far apart as channels are many: often a power of two, at which a cache keeps few lines at once.
// So rows and planes are touched as a whole, and what goes in strides is a tile of our own.
constexpr std::size_t kTileFrames = 32;
constexpr std::size_t kTileChannels = 64;
constexpr std::size_t kTileStride = kTileFrames + 1;  // between channels: no power of two either

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

/// Calls tile(frame, frames, channel, channels) until all are covered.
template <class Work>
void for_tiles(std::size_t frames, std::size_t channels, Work&& tile) {
  for (std::size_t frame = 0; frame < frames; frame += kTileFrames) {
    for (std::size_t channel = 0; channel < channels; channel += kTileChannels) {
      tile(frame, std::min(kTileFrames, frames - frame), channel,
           std::min(kTileChannels, channels - channel));
    }
  }
}

template <class Stored, class Sample, class Value>
void take_as(const NativeFormat& format, const void* buffer, std::size_t channels,
             std::size_t first, std::size_t frames, Sample* const* planes, Value value) noexcept {
  if (format.is_planar) {
    const auto* const from = static_cast<const Stored* const*>(buffer);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      std::transform(from[channel] + first, from[channel] + first + frames, planes[channel], value);
    }
    return;
  }
  const Stored* const rows = static_cast<const Stored*>(buffer) + first * channels;
  alignas(64) Sample turned[kTileChannels * kTileStride];
  for_tiles(frames, channels,
            [&](std::size_t frame, std::size_t tile_frames, std::size_t channel,
                std::size_t tile_channels) {
              for (std::size_t n = 0; n < tile_frames; ++n) {
                const Stored* const row = rows + (frame + n) * channels + channel;
                for (std::size_t c = 0; c < tile_channels; ++c)
                  turned[c * kTileStride + n] = value(row[c]);
              }
              for (std::size_t c = 0; c < tile_channels; ++c) {
                std::copy_n(turned + c * kTileStride, tile_frames, planes[channel + c] + frame);
              }
            });
}

template <class Stored, class Sample>
void take(const NativeFormat& format, const void* buffer, std::size_t channels, std::size_t first,
          std::size_t frames, Sample* const* planes) noexcept {
  using Real = Product<Stored, Sample>;
  // Also as a Real the scale has to be a scale.
  if (format.offset == 0 && std::isnormal(static_cast<Real>(format.scale))) {
    take_as<Stored>(format, buffer, channels, first, frames, planes,
                    [scale = static_cast<Real>(format.scale)](Stored stored) {
                      return static_cast<Sample>(static_cast<Real>(stored) * scale);
                    });
  } else {
    take_as<Stored>(format, buffer, channels, first, frames, planes,
                    [scale = format.scale, offset = format.offset](Stored stored) {
                      return static_cast<Sample>(static_cast<double>(stored) * scale + offset);
                    });
  }
}

template <class Stored, class Sample, class Value>
void give_as(const NativeFormat& format, const Sample* const* planes, std::size_t channels,
             std::size_t first, std::size_t frames, void* buffer, Value value) noexcept {
  if (format.is_planar) {
    auto* const to = static_cast<Stored* const*>(buffer);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      std::transform(planes[channel], planes[channel] + frames, to[channel] + first, value);
    }
    return;
  }
  Stored* const rows = static_cast<Stored*>(buffer) + first * channels;
  alignas(64) Stored turned[kTileChannels * kTileStride];
  for_tiles(frames, channels,
            [&](std::size_t frame, std::size_t tile_frames, std::size_t channel,
                std::size_t tile_channels) {
              for (std::size_t c = 0; c < tile_channels; ++c) {
                std::transform(planes[channel + c] + frame,
                               planes[channel + c] + frame + tile_frames, turned + c * kTileStride,
                               value);
              }
              for (std::size_t n = 0; n < tile_frames; ++n) {
                Stored* const row = rows + (frame + n) * channels + channel;
                for (std::size_t c = 0; c < tile_channels; ++c)
                  row[c] = turned[c * kTileStride + n];
              }
            });
}

template <class Stored, class Sample>
std::uint64_t give(const NativeFormat& format, const Sample* const* planes, std::size_t channels,
                   std::size_t first, std::size_t frames, void* buffer) noexcept {
  std::uint64_t limited = 0;
  if (std::is_same_v<Stored, Sample> && format.scale == 1 && format.offset == 0) {
    give_as<Stored>(format, planes, channels, first, frames, buffer,
                    [](Sample sample) { return static_cast<Stored>(sample); });
  } else {
    const Giving<Stored, Sample> giving{1 / format.scale, format.offset};
    give_as<Stored>(format, planes, channels, first, frames, buffer,
                    [&](Sample sample) { return giving(sample, limited); });
  }
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
