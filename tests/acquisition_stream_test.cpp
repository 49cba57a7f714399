// AcquisitionStream against its stages run by hand over whole signals.
#include "engine/acquisition/acquisition_stream.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/group_delay.hpp"
#include "io/error.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/stage_runner.hpp"

namespace firbank {
namespace {

using test::between;
using test::FloatSignal;
using test::Random;
using testing::HasSubstr;

constexpr double kScale = 0.195;

/// A stream of int16 and which of its frames arrive.
struct Sent {
  std::size_t channels;
  std::size_t frames;
  std::int64_t first_frame;
  std::vector<std::int16_t> samples;  // interleaved
  std::vector<bool> arrives;
  struct Part {
    std::size_t begin;
    std::size_t frames;
  };
  std::vector<Part> packets;
};

Sent random_sent(Random& random, std::size_t channels, std::size_t frames, double loss) {
  Sent sent{channels, frames, static_cast<std::int64_t>(between(random, 0, 1u << 30)), {}, {}, {}};
  sent.samples.resize(channels * frames);
  for (auto& sample : sent.samples) {
    sample = static_cast<std::int16_t>(static_cast<int>(random() >> 52) - 2'048);
  }
  sent.arrives.assign(frames, false);
  for (std::size_t n = 0; n < frames;) {
    const std::size_t part = std::min(frames - n, between(random, 1, 90));
    const bool is_lost = n > 0 && static_cast<double>(random() >> 11) * 0x1.0p-53 < loss;
    if (!is_lost) {
      sent.packets.push_back({n, part});
      std::fill_n(sent.arrives.begin() + static_cast<std::ptrdiff_t>(n), part, true);
    }
    n += part;
  }
  return sent;
}

StreamHeader header_of(const Sent& sent) {
  StreamHeader header;
  header.format = {NativeType::kInt16, false, kScale, 0};
  header.channels = sent.channels;
  return header;
}

/// What came out, one block behind the other.
struct Received {
  FloatSignal filtered;
  FloatSignal samples;
  std::vector<std::int64_t> filtered_frames;  // of each frame, its index
  std::vector<std::int64_t> sample_frames;
  std::vector<Event> events;
  std::int64_t gap_frames = 0;
  bool ended = false;
};

void append(const BasicBlock<const float>& block, FloatSignal& signal,
            std::vector<std::int64_t>& frames) {
  for (std::size_t c = 0; c < signal.size(); ++c) {
    signal[c].insert(signal[c].end(), block.planes[c], block.planes[c] + block.frames);
  }
  for (std::size_t n = 0; n < block.frames; ++n) {
    frames.push_back(block.first_frame + static_cast<std::int64_t>(n));
  }
}

bool read_one(AcquisitionStream& stream, Received& received) {
  AcquiredBlock block;
  if (!stream.read(block)) return false;
  received.events.insert(received.events.end(), block.events.begin(), block.events.end());
  received.ended = has(block.filtered.flags, BlockFlags::kEndOfStream);
  if (received.ended) return true;
  received.gap_frames += block.filtered.gap_before;
  append(block.filtered, received.filtered, received.filtered_frames);
  append(block.samples, received.samples, received.sample_frames);
  return true;
}

/// All of it by one thread: what the ring does not take is offered again.
Received send(AcquisitionStream& stream, const Sent& sent) {
  Received received;
  received.filtered.resize(stream.outputs());
  received.samples.resize(stream.outputs());
  const StreamHeader header = header_of(sent);
  for (const Sent::Part& part : sent.packets) {
    Packet packet;
    packet.first_frame = sent.first_frame + static_cast<std::int64_t>(part.begin);
    packet.frames = part.frames;
    packet.samples = sent.samples.data() + part.begin * sent.channels;
    for (std::size_t from = 0; from < part.frames;) {
      const PushResult pushed = stream.push(header, packet, from);
      EXPECT_TRUE(pushed);
      from += pushed.frames;
      if (pushed.frames == 0) read_one(stream, received);
    }
  }
  while (!stream.flush()) read_one(stream, received);
  while (!received.ended) {
    if (!read_one(stream, received)) stream.wait(std::chrono::seconds(1));
  }
  return received;
}

/// The input of the filters, by hand: referenced, bad channels and missing frames silent.
FloatSignal front(const Sent& sent, const std::optional<CommonReferenceConfig>& config,
                  const std::vector<std::size_t>& bad) {
  FloatSignal in(sent.channels, std::vector<float>(sent.frames));
  for (std::size_t c = 0; c < sent.channels; ++c) {
    for (std::size_t n = 0; n < sent.frames; ++n) {
      in[c][n] = static_cast<float>(sent.samples[n * sent.channels + c] * kScale);
    }
  }
  if (config) {
    CommonReferenceConfig sized = *config;
    sized.channels = sent.channels;
    CommonReference reference(sized);
    for (const std::size_t c : bad) reference.set_bad(c, true);
    const auto planes = test::from(in, 0);
    reference.process(planes.data(), sent.frames);
  }
  for (const std::size_t c : bad) std::fill(in[c].begin(), in[c].end(), 0.0f);
  for (auto& plane : in) {
    for (std::size_t n = 0; n < sent.frames; ++n) plane[n] = sent.arrives[n] ? plane[n] : 0.0f;
  }
  return in;
}

double relative_error(const FloatSignal& got, const FloatSignal& expected) {
  double error = 0;
  double energy = 0;
  for (std::size_t c = 0; c < got.size(); ++c) {
    EXPECT_EQ(got[c].size(), expected[c].size());
    if (got[c].size() != expected[c].size()) return 1;
    for (std::size_t n = 0; n < got[c].size(); ++n) {
      error += std::pow(static_cast<double>(got[c][n]) - expected[c][n], 2);
      energy += std::pow(static_cast<double>(expected[c][n]), 2);
    }
  }
  // A single channel less its own mean is silent.
  return energy == 0 ? std::sqrt(error) : std::sqrt(error / energy);
}

struct Plan {
  AcquisitionConfig config;
  FilterBank bank;
  Routing routing;
  std::vector<std::size_t> bad;
};

Plan random_plan(Random& random, std::size_t channels) {
  const std::size_t outputs = between(random, 1, 5);
  const std::size_t filters = between(random, 1, 4);
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < filters; ++i) lengths.push_back(between(random, 1, 200));
  Plan plan{{},
            test::random_bank(random, lengths),
            test::random_routing(random, channels, outputs, filters, 6, 20),
            {}};
  AcquisitionConfig& config = plan.config;
  config.engine.block_frames = between(random, 1, 64);
  config.engine.ring_blocks = between(random, 2, 6);
  if (random() % 2 == 0) {
    config.reference = CommonReferenceConfig{.kind = random() % 2 == 0 ? ReferenceKind::kMean
                                                                       : ReferenceKind::kMedian};
  }
  if (random() % 2 == 0) {
    config.envelope =
        EnvelopeConfig{.kind = EnvelopeKind::kRms, .taps = 2 * between(random, 1, 20) + 1};
  }
  if (random() % 2 == 0) {
    config.decimation =
        Decimation{between(random, 1, 9), test::random_bank(random, {between(random, 1, 60)})};
  }
  EventDetectorConfig events{.crossing = Crossing::kEither};
  events.levels = {config.envelope ? 150.0f : 250.0f};
  events.refractory_frames = between(random, 0, 30);
  events.peak_frames = between(random, 0, 10);
  config.events = events;
  if (random() % 3 == 0) plan.bad.push_back(between(random, 0, channels - 1));
  return plan;
}

/// Of each frame that comes out: whether neither the silence before the stream nor missing frames
/// are heard in it through `taps`.
std::vector<bool> sound_frames(const Sent& sent, IndexRange taps, std::size_t frames) {
  std::vector<bool> is_sound(frames, true);
  const auto spoil = [&](std::size_t first, std::size_t last) {
    for (std::size_t n = first; n < std::min(last, frames); ++n) is_sound[n] = false;
  };
  std::size_t end = taps.last;  // of the last unsound frames
  spoil(0, end);
  const std::size_t last_packet = sent.packets.back().begin;
  for (std::size_t n = 0; n < last_packet; ++n) {
    if (sent.arrives[n]) continue;
    spoil(end > n ? std::min(n + taps.first, end) : n + taps.first, n + 1 + taps.last);
    end = n + 1 + taps.last;
  }
  return is_sound;
}

/// What a detector finds in what came out of the filters, where that is sound.
std::vector<Event> events_by_hand(const AcquisitionStream& stream, const Plan& plan,
                                  const Received& got, const std::vector<bool>& is_sound) {
  EventDetectorConfig sized = *plan.config.events;
  sized.channels = stream.outputs();
  EventDetector detector(sized);
  std::vector<Event> events(100'000);
  std::size_t count = 0;
  for (std::size_t n = 0; n < is_sound.size();) {
    const std::size_t first = n;
    while (n < is_sound.size() && is_sound[n]) ++n;
    if (n > first) {
      count +=
          detector
              .process(test::from(got.filtered, first).data(), n - first,
                       got.filtered_frames[first], events.data() + count, events.size() - count)
              .events;
      count += detector.flush(events.data() + count, events.size() - count).events;
    } else {
      ++n;
    }
  }
  events.resize(count);
  for (Event& event : events) {
    event.frame -= stream.delay_frames(event.channel);
    event.crossing -= stream.delay_frames(event.channel);
  }
  return events;
}

TEST(AcquisitionStream, IsItsStagesOneAfterAnother) {
  const std::uint64_t seed = 20'261'122;
  for (std::uint64_t round = 0; round < 40; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    Random random(seed + round);
    const std::size_t channels = between(random, 1, 6);
    Plan plan = random_plan(random, channels);
    const Sent sent = random_sent(random, channels, between(random, 100, 5'000), 0.1);
    AcquisitionStream stream(plan.config, plan.bank, plan.routing);
    for (const std::size_t c : plan.bad) stream.set_bad_channel(c, true);
    const Received got = send(stream, sent);

    // The last packets may be lost: then the stream ends before them.
    std::size_t frames = sent.packets.back().begin + sent.packets.back().frames;
    FloatSignal in = front(sent, plan.config.reference, plan.bad);
    EngineConfig config = plan.config.engine;
    Engine engine(config, plan.bank, plan.routing);
    frames += engine.tail_frames();
    for (auto& plane : in) plane.resize(frames);
    FloatSignal filtered(engine.outputs(), std::vector<float>(frames));
    for (std::size_t n = 0; n < frames; ++n) {
      engine.process(test::from(in, n).data(), test::from(filtered, n).data(), 1);
    }
    // Sums near 0 may cancel; what is compared here is the order of the stages.
    EXPECT_LE(relative_error(got.filtered, filtered), 2e-6);
    ASSERT_EQ(got.filtered_frames.size(), frames);
    for (std::size_t n = 0; n < frames; ++n) {
      ASSERT_EQ(got.filtered_frames[n], sent.first_frame + static_cast<std::int64_t>(n));
    }

    // What follows is compared by the filtered signal that came out, to the last bit of events.
    FloatSignal behind = got.filtered;
    if (plan.config.envelope) {
      EnvelopeConfig sized = *plan.config.envelope;
      sized.channels = engine.outputs();
      sized.block_frames = config.block_frames;
      Envelope envelope(sized);
      behind =
          test::run_stage(envelope, got.filtered, engine.outputs(), {frames}, sent.first_frame);
    }
    if (!plan.config.envelope) {  // whose last bits depend on the sizes of calls
      const std::vector<bool> sound =
          sound_frames(sent, core_taps(plan.bank, plan.routing), frames);
      EXPECT_EQ(got.events, events_by_hand(stream, plan, got, sound));
      EXPECT_EQ(stream.stats().unsound_frames, std::count(sound.begin(), sound.end(), false));
    }
    EXPECT_EQ(stream.stats().events, got.events.size());
    if (plan.config.decimation) {
      const Decimation& decimation = *plan.config.decimation;
      Decimator decimator({.channels = engine.outputs(),
                           .factor = decimation.factor,
                           .block_frames = config.block_frames},
                          decimation.filter);
      FloatSignal kept(engine.outputs(), std::vector<float>(decimator.most_frames(frames)));
      const DecimatedFrames result = decimator.process(
          test::from(behind, 0).data(), frames, sent.first_frame, test::from(kept, 0).data());
      for (auto& plane : kept) plane.resize(result.frames);
      ASSERT_EQ(got.sample_frames.size(), result.frames);
      const auto factor = static_cast<std::int64_t>(decimation.factor);
      for (std::size_t n = 0; n < result.frames; ++n) {
        ASSERT_EQ(got.sample_frames[n] * factor,
                  result.first_frame + static_cast<std::int64_t>(n) * factor);
      }
      behind = kept;
    }
    EXPECT_LE(relative_error(got.samples, behind), 2e-6);

    std::int64_t missing = 0;
    for (std::size_t n = 0; n + engine.tail_frames() < frames; ++n) missing += !sent.arrives[n];
    EXPECT_EQ(stream.stats().engine.gap_frames, missing);
  }
}

Plan one_channel(std::vector<double> taps) {
  Plan plan{{}, FilterBank({std::move(taps)}), Routing::rows(1, 1), {}};
  plan.config.engine.block_frames = 16;
  return plan;
}

Sent pulse(std::size_t frames, std::size_t at, std::int64_t first_frame) {
  Sent sent{1,
            frames,
            first_frame,
            std::vector<std::int16_t>(frames, 0),
            std::vector<bool>(frames, true),
            {{0, frames}}};
  sent.samples[at] = -1'000;
  return sent;
}

TEST(AcquisitionStream, TellsEventsAtTheFramesOfTheInput) {
  Plan plan = one_channel({0.1, 0.2, 0.5, 1, 0.5, 0.2, 0.1});
  plan.config.events = EventDetectorConfig{.levels = {-50}, .peak_frames = 6};
  AcquisitionStream stream(plan.config, plan.bank, plan.routing);
  EXPECT_EQ(stream.delay_frames(0), 3);
  const Received got = send(stream, pulse(300, 123, 7'000));
  ASSERT_EQ(got.events.size(), 1u);
  EXPECT_EQ(got.events[0].frame, 7'123);
  EXPECT_FLOAT_EQ(got.events[0].value, -195);
}

TEST(AcquisitionStream, TellsHowLateDecimatedSamplesAre) {
  Plan plan = one_channel({0.1, 0.2, 0.5, 1, 0.5, 0.2, 0.1});
  AcquisitionStream whole(plan.config, plan.bank, plan.routing);
  EXPECT_EQ(whole.samples_delay_frames(0), 3);
  plan.config.decimation = Decimation{4, FilterBank({{0.1, 0.2, 0.3, 0.5, 1, 0.5, 0.3, 0.2, 0.1}})};
  AcquisitionStream stream(plan.config, plan.bank, plan.routing);
  EXPECT_EQ(stream.samples_delay_frames(0), 3 + 4);
  // Frame 125 of the input is the 7 frames later that a kept one stands for.
  const Received got = send(stream, pulse(300, 125, 0));
  const auto peak = std::min_element(got.samples[0].begin(), got.samples[0].end());
  EXPECT_EQ(4 * got.sample_frames[static_cast<std::size_t>(peak - got.samples[0].begin())],
            125 + stream.samples_delay_frames(0));
}

TEST(AcquisitionStream, AGapThatResetsBeginsAnewAndIsTold) {
  Plan plan = one_channel({0.5, 0.5});
  plan.config.engine.gap_policy = GapPolicy::kReset;
  plan.config.events = EventDetectorConfig{.levels = {-50}, .peak_frames = 40};
  AcquisitionStream stream(plan.config, plan.bank, plan.routing);
  Sent sent = pulse(100, 95, 0);
  sent.packets = {{0, 96}, {97, 3}};  // frame 96, which would hear the pulse, is missing
  const Received got = send(stream, sent);
  EXPECT_EQ(got.gap_frames, 1);
  ASSERT_EQ(got.filtered_frames.size(), 99u + 1);
  EXPECT_EQ(got.filtered_frames[96], 97);
  EXPECT_FLOAT_EQ(got.filtered[0][95], -97.5);
  EXPECT_EQ(got.filtered[0][96], 0);  // the history was forgotten
  // The pulse was waiting for its peak when the gap came.
  ASSERT_EQ(got.events.size(), 1u);
  EXPECT_EQ(got.events[0].frame, 94);  // half a frame of delay counts as one
  EXPECT_EQ(stream.stats().engine.first_gap_frame, 96);
}

// Half a second of silence in place of lost frames would be most of the noise's window: levels
// fell, and every sample behind it was an event.
TEST(AcquisitionStream, MadeUpFramesAreNoNoise) {
  constexpr std::size_t kRate = 2'000;
  Plan plan = one_channel({0.2, -0.5, 1, -0.5, 0.2});
  plan.config.engine.block_frames = 50;
  plan.config.events = EventDetectorConfig{.crossing = Crossing::kEither,
                                           .noise_factor = 6,
                                           .noise_window_frames = kRate,
                                           .peak_frames = 6};
  Random random(11);
  for (const std::size_t gap : {300, 1'000, 1'400}) {
    SCOPED_TRACE("a gap of " + std::to_string(gap) + " frames");
    Sent sent = random_sent(random, 1, 6 * kRate, 0);
    std::normal_distribution<double> noise(0, 100);
    for (auto& sample : sent.samples) sample = static_cast<std::int16_t>(noise(random));
    const std::size_t spike = 3 * kRate + gap + 700;
    sent.samples[spike] = 20'000;
    sent.packets.clear();
    for (std::size_t n = 0; n < sent.frames; n += 50) {
      const bool is_lost = n >= 3 * kRate && n < 3 * kRate + gap;
      if (!is_lost) sent.packets.push_back({n, 50});
    }
    AcquisitionStream stream(plan.config, plan.bank, plan.routing);
    const Received got = send(stream, sent);
    EXPECT_EQ(got.gap_frames, 0);
    EXPECT_EQ(stream.stats().engine.gap_frames, static_cast<std::int64_t>(gap));
    ASSERT_EQ(got.events.size(), 1u);
    EXPECT_EQ(got.events[0].frame, sent.first_frame + static_cast<std::int64_t>(spike));
    // The gap and the five taps behind it, but for the first of them, and five at the beginning.
    EXPECT_EQ(stream.stats().unsound_frames, static_cast<std::int64_t>(gap) + 5 + 5);
  }
}

TEST(AcquisitionStream, TellsWhenDecimatedFramesWereCaptured) {
  Plan plan = one_channel({1});
  plan.config.engine.sample_rate_hz = 1'000;
  plan.config.engine.gap_policy = GapPolicy::kReset;
  plan.config.engine.block_frames = 16;
  plan.config.decimation = Decimation{10, FilterBank({{1.0}})};
  AcquisitionStream stream(plan.config, plan.bank, plan.routing);
  StreamHeader header;
  header.format = {NativeType::kInt16, false, 1, 0};
  header.channels = 1;
  header.sample_rate_hz = 1'000;
  const std::vector<std::int16_t> samples(96, 1);
  constexpr std::int64_t kBegin = 5'000'000'000;
  std::vector<std::int64_t> gaps;
  std::int64_t kept = 0;
  // Frames 0 to 95, and then from 111 on: of what is kept, 100 and 110 are missing.
  for (const std::int64_t first : {0, 111}) {
    Packet packet;
    packet.first_frame = first;
    packet.frames = samples.size();
    packet.samples = samples.data();
    packet.timestamp_ns = kBegin + first * 1'000'000;
    for (std::size_t from = 0; from < packet.frames;) {
      from += stream.push(header, packet, from).frames;
    }
  }
  while (!stream.flush()) std::this_thread::yield();
  for (bool ended = false; !ended;) {
    AcquiredBlock block;
    if (!stream.read(block)) {
      stream.wait(std::chrono::seconds(1));
      continue;
    }
    ended = has(block.filtered.flags, BlockFlags::kEndOfStream);
    if (block.samples.frames == 0) continue;
    EXPECT_EQ(block.samples.timestamp_ns, kBegin + block.samples.first_frame * 10'000'000);
    if (block.samples.gap_before != 0) gaps.push_back(block.samples.gap_before);
    kept += static_cast<std::int64_t>(block.samples.frames);
  }
  EXPECT_THAT(gaps, testing::ElementsAre(2));
  EXPECT_EQ(kept, 10 + 9);  // 0 to 90, and 120 to 200
}

TEST(AcquisitionStream, NeedsNoMoreThanOneReader) {
  Plan plan = one_channel({1});
  plan.config.engine.max_readers = 1;
  AcquisitionStream stream(plan.config, plan.bank, plan.routing);
  EXPECT_EQ(send(stream, pulse(64, 33, 0)).filtered_frames.size(), 64u);
}

TEST(AcquisitionStream, ARestartLeavesNothingOfTheStreamBefore) {
  const std::uint64_t seed = 7;
  for (std::uint64_t round = 0; round < 10; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    Random random(seed + round);
    const Plan plan = random_plan(random, 3);
    const Sent sent = random_sent(random, 3, between(random, 100, 2'000), 0.1);
    AcquisitionStream used(plan.config, plan.bank, plan.routing);
    send(used, random_sent(random, 3, 700, 0.1));
    used.restart();
    // Once more, broken off in the middle: what was not read is gone.
    Packet packet;
    packet.frames = sent.packets[0].frames;
    packet.samples = sent.samples.data();
    used.push(header_of(sent), packet);
    used.restart();
    const Received again = send(used, sent);
    AcquisitionStream fresh(plan.config, plan.bank, plan.routing);
    const Received first = send(fresh, sent);
    // Blocks are cut elsewhere, so the last bits may differ.
    EXPECT_LE(relative_error(again.filtered, first.filtered), 2e-6);
    EXPECT_LE(relative_error(again.samples, first.samples), 2e-6);
    if (!plan.config.envelope) {
      const std::vector<bool> sound =
          sound_frames(sent, core_taps(plan.bank, plan.routing), again.filtered_frames.size());
      EXPECT_EQ(again.events, events_by_hand(used, plan, again, sound));
    }
    EXPECT_EQ(again.filtered_frames, first.filtered_frames);
  }
}

TEST(AcquisitionStream, CountsEventsThatItHasNoRoomFor) {
  Plan plan = one_channel({1});
  plan.config.events = EventDetectorConfig{.levels = {-50}};
  plan.config.most_events = 1;
  AcquisitionStream stream(plan.config, plan.bank, plan.routing);
  Sent sent = pulse(64, 33, 1'000);
  sent.samples[35] = sent.samples[37] = -1'000;
  EXPECT_EQ(send(stream, sent).events.size(), 1u);
  EXPECT_EQ(stream.stats().lost_events, 2u);
  EXPECT_EQ(stream.stats().first_lost_event_frame, 1'032);
}

TEST(AcquisitionStream, RefusesWhatItsStagesRefuse) {
  const auto refusal = [](const AcquisitionConfig& config) -> std::string {
    try {
      const Plan plan = one_channel({1});
      AcquisitionStream(config, plan.bank, plan.routing);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  AcquisitionConfig config;
  config.most_events = 0;
  EXPECT_THAT(refusal(config), HasSubstr("most_events is 0"));
  config = {};
  config.envelope = EnvelopeConfig{.taps = 0};
  EXPECT_THAT(refusal(config), HasSubstr("taps"));
  config = {};
  config.decimation = Decimation{0, FilterBank({{1.0}})};
  EXPECT_THAT(refusal(config), HasSubstr("factor"));
  config = {};
  config.events = EventDetectorConfig{.levels = {1, 2}};
  EXPECT_THAT(refusal(config), HasSubstr("levels"));
}

}  // namespace
}  // namespace firbank
