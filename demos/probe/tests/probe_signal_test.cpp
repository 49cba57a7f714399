// The simulated probe is what it says it is: noise, spikes, and what all channels have in common.
#include "demos/probe/probe_signal.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace firbank::probe {
namespace {

/// Nothing but what a test wants to see.
ProbeConfig quiet(std::size_t channels) {
  ProbeConfig config;
  config.channels = channels;
  config.common_noise_uv = config.slow_wave_uv = config.hum_uv = 0;
  return config;
}

struct Recording {
  std::vector<std::int16_t> samples;  // interleaved
  std::vector<Spike> spikes;
};

Recording record(ProbeSignal& signal, std::size_t frames, std::size_t packet) {
  Recording all;
  std::vector<std::int16_t> samples;
  for (std::size_t done = 0; done < frames; done += packet) {
    signal.next(std::min(packet, frames - done), samples, all.spikes);
    all.samples.insert(all.samples.end(), samples.begin(), samples.end());
  }
  return all;
}

TEST(ProbeSignal, HasNoiseOfItsOwnInEachChannel) {
  ProbeConfig config = quiet(8);
  config.peak_snr = 0;
  ProbeSignal signal(config);
  const std::size_t frames = 60'000;
  const Recording all = record(signal, frames, 300);
  const double expected = std::pow(config.noise_uv / config.step_uv, 2);
  for (std::size_t c = 0; c < 8; ++c) {
    double power = 0;
    double next = 0;       // with the channel's next sample
    double neighbour = 0;  // with the next channel's
    for (std::size_t n = 0; n + 1 < frames; ++n) {
      const double x = all.samples[n * 8 + c];
      power += x * x;
      next += x * all.samples[(n + 1) * 8 + c];
      neighbour += x * all.samples[n * 8 + (c + 1) % 8];
    }
    EXPECT_NEAR(power / frames, expected, 0.03 * expected);
    EXPECT_NEAR(next / frames, 0, 0.03 * expected);
    EXPECT_NEAR(neighbour / frames, 0, 0.03 * expected);
  }
}

TEST(ProbeSignal, FiresAsOftenAsItSaysAndNeverSooner) {
  const ProbeConfig config = quiet(50);
  ProbeSignal signal(config);
  const Recording all = record(signal, 600'000, 300);
  EXPECT_NEAR(static_cast<double>(all.spikes.size()), 50 * 20 * 20.0, 5 * std::sqrt(20'000.0));
  std::map<std::size_t, std::int64_t> latest;
  std::int64_t before = 0;
  for (const Spike& spike : all.spikes) {
    EXPECT_GE(spike.frame, before);
    before = spike.frame;
    if (latest.count(spike.channel) > 0) {
      // The dead time is 60 frames; each end is rounded.
      ASSERT_GE(spike.frame - latest[spike.channel], 59);
    }
    latest[spike.channel] = spike.frame;
  }
}

TEST(ProbeSignal, SpikesHaveTheirPeakWhereTheyAreSaidToBe) {
  ProbeConfig config = quiet(5);
  config.noise_uv = 100;
  config.peak_snr = 100;  // noise is a hundredth of it
  config.firing_rate_hz = 5;
  ProbeSignal signal(config);
  const Recording all = record(signal, 300'000, 77);
  ASSERT_GT(all.spikes.size(), 100u);
  const double peak = config.peak_snr * config.noise_uv / config.step_uv;
  std::size_t alone = 0;
  for (std::size_t i = 1; i + 1 < all.spikes.size(); ++i) {
    const Spike& spike = all.spikes[i];
    const bool is_alone =
        spike.frame - all.spikes[i - 1].frame > 120 && all.spikes[i + 1].frame - spike.frame > 120;
    if (!is_alone || spike.frame + 20 > 300'000) continue;
    ++alone;
    std::int64_t lowest = spike.frame;
    const auto at = [&](std::int64_t frame, std::size_t channel) {
      return static_cast<double>(all.samples[static_cast<std::size_t>(frame) * 5 + channel]);
    };
    for (std::int64_t n = spike.frame - 10; n <= spike.frame + 10; ++n) {
      if (at(n, spike.channel) < at(lowest, spike.channel)) lowest = n;
    }
    ASSERT_LE(std::abs(lowest - spike.frame), 1);
    const double limited = std::min(peak, 32'768.0);
    ASSERT_NEAR(-at(lowest, spike.channel), limited, 0.12 * peak);
    for (const std::size_t neighbour : {spike.channel - 1, spike.channel + 1}) {
      if (neighbour >= 5) continue;
      ASSERT_NEAR(-at(lowest, neighbour), 0.45 * peak, 0.1 * peak);
    }
  }
  EXPECT_GT(alone, 50u);
}

TEST(ProbeSignal, FollowsFromItsSeed) {
  ProbeConfig config = quiet(6);
  ProbeSignal once(config);
  ProbeSignal again(config);
  EXPECT_EQ(record(once, 30'000, 300).samples, record(again, 30'000, 300).samples);
  config.seed = 2;
  ProbeSignal other(config);
  EXPECT_NE(record(other, 3'000, 300).samples, record(once, 3'000, 300).samples);
}

TEST(ProbeSignal, HasInCommonWhatAllChannelsHave) {
  ProbeConfig config;
  config.channels = 64;
  config.peak_snr = 0;
  ProbeSignal signal(config);
  const std::size_t frames = 30'000;
  const Recording all = record(signal, frames, 300);
  double common = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    double mean = 0;
    for (std::size_t c = 0; c < 64; ++c) mean += all.samples[n * 64 + c] * config.step_uv / 64;
    common += mean * mean / frames;
  }
  const double expected = std::pow(config.common_noise_uv, 2) +
                          (std::pow(config.slow_wave_uv, 2) + std::pow(config.hum_uv, 2)) / 2 +
                          std::pow(config.noise_uv, 2) / 64;
  EXPECT_NEAR(common, expected, 0.05 * expected);
}

}  // namespace
}  // namespace firbank::probe
