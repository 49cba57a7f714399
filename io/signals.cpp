#include "io/signals.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/random.hpp"

namespace firbank {
namespace {

void require(bool allowed, const char* signal, const char* field, double value, const char* rule) {
  if (allowed) return;
  throw Error(ErrorKind::kConfiguration,
              fmt::format("{}: {} is {}; {}", signal, field, value, rule));
}

void check(const char* signal, const StreamFormat& format, double amplitude) {
  require(format.channels >= 1, signal, "channels", static_cast<double>(format.channels),
          "at least 1 is needed");
  require(std::isfinite(format.sample_rate_hz) && format.sample_rate_hz > 0, signal, "sample rate",
          format.sample_rate_hz, "a number of Hz above 0 is allowed");
  require(format.frames.value_or(0) >= 0, signal, "frames",
          static_cast<double>(format.frames.value_or(0)), "0 or more are allowed");
  require(std::isfinite(amplitude), signal, "amplitude", amplitude, "it must be finite");
}

StreamFormat named(StreamFormat format, const char* signal) {
  format.encoding = signal;
  return format;
}

// `Signal` has fill(plane, channel, first_frame, frames).
template <class Signal>
class SignalSource final : public Source {
 public:
  SignalSource(StreamFormat format, Signal signal)
      : format_(std::move(format)), signal_(std::move(signal)) {}

  const StreamFormat& format() const noexcept override { return format_; }
  std::size_t read(BasicBlock<float>& block) override { return generate(block); }
  std::size_t read(BasicBlock<double>& block) override { return generate(block); }

 private:
  template <class Sample>
  std::size_t generate(BasicBlock<Sample>& block) {
    std::size_t frames = block.frames;
    if (format_.frames) {
      const auto left = static_cast<std::uint64_t>(*format_.frames - position_);
      frames = static_cast<std::size_t>(std::min<std::uint64_t>(frames, left));
    }
    for (std::size_t channel = 0; channel < format_.channels; ++channel) {
      signal_.fill(block.planes[channel], channel, position_, frames);
    }
    block.first_frame = position_;
    position_ += static_cast<std::int64_t>(frames);
    return frames;
  }

  StreamFormat format_;
  Signal signal_;
  std::int64_t position_ = 0;
};

template <class Signal>
std::unique_ptr<Source> make_source(const StreamFormat& format, const char* name, Signal signal) {
  return std::make_unique<SignalSource<Signal>>(named(format, name), std::move(signal));
}

// A signal that is a function of the frame alone.
template <class Function>
struct Everywhere {
  Function at;

  template <class Sample>
  void fill(Sample* plane, std::size_t, std::int64_t first_frame, std::size_t frames) const {
    for (std::size_t n = 0; n < frames; ++n) {
      plane[n] = static_cast<Sample>(at(first_frame + static_cast<std::int64_t>(n)));
    }
  }
};

template <class Function>
Everywhere(Function) -> Everywhere<Function>;

// ln(x) for 0 < x < 1 in additions, multiplications and divisions only, which are the same on every
// machine: x = m 2^e with m near 1, ln m = 2 artanh((m - 1) / (m + 1)). The last term left out
// weighs less than 2^-53 of the first. The compiler must not fuse them; see io/CMakeLists.txt.
double portable_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < std::numbers::sqrt2 / 2) {
    m *= 2;
    --exponent;
  }
  const double z = (m - 1) / (m + 1);
  const double square = z * z;
  double series = 0;
  for (int k = 21; k >= 1; k -= 2) series = series * square + 1.0 / k;
  return 2 * z * series + exponent * std::numbers::ln2;
}

struct Noise {
  struct Channel {
    Xoshiro256 random;
    double spare = 0;
    bool has_spare = false;
  };

  NoiseShape shape;
  double amplitude;
  std::vector<Channel> channels;

  // Pairs of normal numbers by the polar method (Marsaglia and Bray, SIAM Review 6, 1964).
  static double normal(Channel& channel) {
    if (channel.has_spare) {
      channel.has_spare = false;
      return channel.spare;
    }
    while (true) {
      const double x = 2 * channel.random.uniform() - 1;
      const double y = 2 * channel.random.uniform() - 1;
      const double square = x * x + y * y;
      if (square >= 1 || square == 0) continue;
      const double factor = std::sqrt(-2 * portable_log(square) / square);
      channel.spare = y * factor;
      channel.has_spare = true;
      return x * factor;
    }
  }

  template <class Sample>
  void fill(Sample* plane, std::size_t index, std::int64_t, std::size_t frames) {
    Channel& channel = channels[index];
    for (std::size_t n = 0; n < frames; ++n) {
      const double value =
          shape == NoiseShape::kGaussian ? normal(channel) : 2 * channel.random.uniform() - 1;
      plane[n] = static_cast<Sample>(amplitude * value);
    }
  }
};

}  // namespace

std::unique_ptr<Source> make_impulse(const StreamFormat& format, std::int64_t at_frame,
                                     double amplitude) {
  check("impulse", format, amplitude);
  require(at_frame >= 0, "impulse", "frame", static_cast<double>(at_frame), "0 or more is allowed");
  const auto at = [=](std::int64_t frame) { return frame == at_frame ? amplitude : 0.0; };
  return make_source(format, "impulse", Everywhere{at});
}

std::unique_ptr<Source> make_sine(const StreamFormat& format, double frequency_hz, double amplitude,
                                  double phase_radians) {
  check("sine", format, amplitude);
  const double rate_hz = format.sample_rate_hz;
  require(frequency_hz >= 0 && frequency_hz <= rate_hz / 2, "sine", "frequency", frequency_hz,
          "0 to half the sample rate is allowed");
  require(std::isfinite(phase_radians), "sine", "phase", phase_radians, "it must be finite");
  const auto at = [=](std::int64_t frame) {
    // Whole turns are taken off while the product is exact, so that the phase never drifts.
    const double turns = std::fmod(frequency_hz * static_cast<double>(frame), rate_hz) / rate_hz;
    return amplitude * std::sin(2 * std::numbers::pi * turns + phase_radians);
  };
  return make_source(format, "sine", Everywhere{at});
}

std::unique_ptr<Source> make_sweep(const StreamFormat& format, double from_hz, double to_hz,
                                   std::int64_t sweep_frames, double amplitude) {
  check("sweep", format, amplitude);
  const double rate_hz = format.sample_rate_hz;
  require(from_hz > 0 && from_hz < to_hz, "sweep", "first frequency", from_hz,
          "above 0 and below the last is allowed");
  require(to_hz <= rate_hz / 2, "sweep", "last frequency", to_hz,
          "up to half the sample rate is allowed");
  require(sweep_frames >= 1, "sweep", "length", static_cast<double>(sweep_frames),
          "1 frame or more is allowed");
  const double growth = static_cast<double>(sweep_frames) / std::log(to_hz / from_hz);  // frames
  const double turns = from_hz / rate_hz * growth;
  const auto at = [=](std::int64_t frame) {
    if (frame >= sweep_frames) return 0.0;
    const double turn = turns * std::expm1(static_cast<double>(frame) / growth);
    return amplitude * std::sin(2 * std::numbers::pi * std::fmod(turn, 1.0));
  };
  return make_source(format, "sweep", Everywhere{at});
}

std::unique_ptr<Source> make_noise(const StreamFormat& format, NoiseShape shape, std::uint64_t seed,
                                   double amplitude) {
  check("noise", format, amplitude);
  Noise noise{shape, amplitude, {}};
  for (std::size_t channel = 0; channel < format.channels; ++channel) {
    noise.channels.push_back({Xoshiro256(seed, channel), 0, false});
  }
  return make_source(format, "noise", std::move(noise));
}

}  // namespace firbank
