#include "io/sample_codec.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace firbank {
namespace {

int integer_bits(SampleEncoding encoding) noexcept {
  switch (encoding) {
    case SampleEncoding::kInt16:
      return 16;
    case SampleEncoding::kInt24:
      return 24;
    case SampleEncoding::kInt32:
      return 32;
    default:
      return 0;
  }
}

/// The `size` bytes of a sample as a number, whatever their order and the machine's.
std::uint64_t gather(const unsigned char* bytes, std::size_t size, bool big_endian) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::uint64_t{bytes[big_endian ? size - 1 - i : i]} << (8 * i);
  }
  return value;
}

void scatter(std::uint64_t value, unsigned char* bytes, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(value >> (8 * i));
}

}  // namespace

double Dither::uniform() noexcept {
  // xorshift64* (Vigna 2016)
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return static_cast<double>((state_ * 0x2545'F491'4F6C'DD1D) >> 11) * 0x1p-53 - 0.5;
}

template <class Sample>
void decode(const unsigned char* bytes, SampleEncoding encoding, bool big_endian, Sample* samples,
            std::size_t count) noexcept {
  const std::size_t size = bytes_per_sample(encoding);
  for (std::size_t n = 0; n < count; ++n, bytes += size) {
    const std::uint64_t raw = gather(bytes, size, big_endian);
    const auto low = static_cast<std::uint32_t>(raw);
    switch (encoding) {
      case SampleEncoding::kFloat32:
        samples[n] = static_cast<Sample>(std::bit_cast<float>(low));
        break;
      case SampleEncoding::kFloat64:
        samples[n] = static_cast<Sample>(std::bit_cast<double>(raw));
        break;
      case SampleEncoding::kInt16:
        samples[n] = static_cast<Sample>(static_cast<std::int32_t>(low << 16) * 0x1p-31);
        break;
      case SampleEncoding::kInt24:
        samples[n] = static_cast<Sample>(static_cast<std::int32_t>(low << 8) * 0x1p-31);
        break;
      case SampleEncoding::kInt32:
        samples[n] = static_cast<Sample>(static_cast<std::int32_t>(low) * 0x1p-31);
        break;
    }
  }
}

template void decode(const unsigned char*, SampleEncoding, bool, float*, std::size_t) noexcept;
template void decode(const unsigned char*, SampleEncoding, bool, double*, std::size_t) noexcept;

Encoder::Encoder(SampleEncoding encoding, std::size_t channels, bool dither)
    : encoding_(encoding), channels_(channels), bits_(integer_bits(encoding)) {
  if (dither && bits_ != 0) dither_.emplace();
}

std::size_t Encoder::bytes_per_frame() const noexcept {
  return channels_ * bytes_per_sample(encoding_);
}

std::int32_t Encoder::quantise_one(double sample, std::int64_t frame) noexcept {
  const double scale = std::ldexp(1.0, bits_ - 1);
  double value = sample * scale;
  if (dither_) value += dither_->next();
  value = std::nearbyint(value);
  if (std::isnan(value)) {
    value = 0;
  } else if (value < -scale || value > scale - 1) {
    if (clipped_.samples++ == 0) clipped_.first_frame = frame;
    value = value < 0 ? -scale : scale - 1;
  }
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::int32_t>(value))
                                   << (32 - bits_));
}

float Encoder::narrow_one(double sample, std::int64_t frame) noexcept {
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::abs(sample) > kLargest && std::isfinite(sample)) {
    if (clipped_.samples++ == 0) clipped_.first_frame = frame;
    sample = std::copysign(kLargest, sample);
  }
  return static_cast<float>(sample);
}

template <class Sample>
void Encoder::narrow(const Sample* samples, std::size_t frames, float* out) noexcept {
  for (std::size_t n = 0; n < frames; ++n, ++frames_done_) {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      *out++ = narrow_one(static_cast<double>(*samples++), frames_done_);
    }
  }
}

template <class Sample>
void Encoder::quantise(const Sample* samples, std::size_t frames, std::int32_t* out) noexcept {
  for (std::size_t n = 0; n < frames; ++n, ++frames_done_) {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      *out++ = quantise_one(static_cast<double>(*samples++), frames_done_);
    }
  }
}

template <class Sample>
void Encoder::encode(const Sample* samples, std::size_t frames, unsigned char* bytes) noexcept {
  const std::size_t size = bytes_per_sample(encoding_);
  for (std::size_t n = 0; n < frames; ++n, ++frames_done_) {
    for (std::size_t channel = 0; channel < channels_; ++channel, bytes += size) {
      const Sample sample = *samples++;
      if (encoding_ == SampleEncoding::kFloat32) {
        const float value = narrow_one(static_cast<double>(sample), frames_done_);
        scatter(std::bit_cast<std::uint32_t>(value), bytes, size);
      } else if (encoding_ == SampleEncoding::kFloat64) {
        scatter(std::bit_cast<std::uint64_t>(static_cast<double>(sample)), bytes, size);
      } else {
        const auto value =
            static_cast<std::uint32_t>(quantise_one(static_cast<double>(sample), frames_done_));
        scatter(value >> (32 - bits_), bytes, size);
      }
    }
  }
}

template void Encoder::narrow(const float*, std::size_t, float*) noexcept;
template void Encoder::narrow(const double*, std::size_t, float*) noexcept;
template void Encoder::quantise(const float*, std::size_t, std::int32_t*) noexcept;
template void Encoder::quantise(const double*, std::size_t, std::int32_t*) noexcept;
template void Encoder::encode(const float*, std::size_t, unsigned char*) noexcept;
template void Encoder::encode(const double*, std::size_t, unsigned char*) noexcept;

}  // namespace firbank
