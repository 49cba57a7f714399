// The stages round the bank neither allocate, nor lock, nor call the system: odd calls, NaN, gaps,
// masks that change, events, matches, resets.
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "engine/acquisition/acquisition_stream.hpp"
#include "engine/stages/common_reference.hpp"
#include "engine/stages/decimator.hpp"
#include "engine/stages/envelope.hpp"
#include "engine/stages/event_detector.hpp"
#include "engine/stages/template_distance.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/rt_guard.hpp"
#include "tests/support/stage_runner.hpp"

namespace firbank {
namespace {

using test::FloatSignal;
using test::Random;

class RealTimeStages : public testing::Test {
 protected:
  static constexpr std::size_t kChannels = 5;
  static constexpr std::size_t kFrames = 8'000;

  void SetUp() override {
    const std::string reason = rt_guard::why_not();
    if (!reason.empty()) GTEST_SKIP() << "not proved: " << reason;
    rt_guard::forget();
    Random random(1);
    for (std::size_t c = 0; c < kChannels; ++c) {
      const auto samples = test::random_samples(random, kFrames);
      in_.emplace_back(samples.begin(), samples.end());
    }
    in_[1][3'000] = test::kNan;
    in_[2][3'100] = test::kInfinity;
    in_[3].assign(kFrames, 0.25F);
    out_ = FloatSignal(kChannels, std::vector<float>(kFrames));
    calls_ = test::random_calls(random, kFrames, 32, 900);
  }

  /// act(in, out, frames, first_frame, call), with gaps between some calls, under guard.
  template <class Act>
  void drive(Act act) {
    std::size_t position = 0;
    std::int64_t frame = 0;
    std::size_t call = 0;
    for (const std::size_t frames : calls_) {
      if (++call % 40 == 0) frame += 1'000;
      const auto in = test::from(std::as_const(in_), position);
      const auto out = test::from(out_, position);
      {
        const rt_guard::Scope scope;
        act(in.data(), out.data(), frames, frame, call);
      }
      position += frames;
      frame += static_cast<std::int64_t>(frames);
    }
    EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
    rt_guard::forget();
  }

  FloatSignal in_;
  FloatSignal out_;
  std::vector<std::size_t> calls_;
};

TEST_F(RealTimeStages, CommonReference) {
  out_ = in_;
  for (const ReferenceKind kind : {ReferenceKind::kMean, ReferenceKind::kMedian}) {
    CommonReference stage({.channels = kChannels, .kind = kind, .groups = {{0, 2, 3}, {1, 4}}});
    drive([&](auto, auto planes, std::size_t frames, std::int64_t, std::size_t call) {
      stage.set_bad(call % kChannels, call % 3 == 0);
      stage.process(planes, frames);
    });
  }
}

TEST_F(RealTimeStages, Decimator) {
  for (const DecimatorForm form :
       {DecimatorForm::kDirect, DecimatorForm::kPolyphase, DecimatorForm::kWhole}) {
    Random random(2);
    Decimator stage({.channels = kChannels, .factor = 7, .block_frames = 32, .form = form},
                    test::random_bank(random, {600}));
    drive([&](auto in, auto out, std::size_t frames, std::int64_t first, std::size_t call) {
      stage.process(in, frames, first, out);
      if (call % 51 == 0) stage.reset();
    });
    EXPECT_GT(stage.gaps(), 0u);
  }
}

TEST_F(RealTimeStages, Envelope) {
  for (const EnvelopeKind kind : {EnvelopeKind::kRectified, EnvelopeKind::kPower,
                                  EnvelopeKind::kRms, EnvelopeKind::kAnalytic}) {
    Envelope stage({.channels = kChannels, .kind = kind, .taps = 301, .block_frames = 32});
    drive([&](auto in, auto out, std::size_t frames, std::int64_t first, std::size_t call) {
      stage.process(in, out, frames, first);
      if (call % 51 == 0) stage.reset();
    });
  }
}

TEST_F(RealTimeStages, EventDetector) {
  EventDetector stage({.channels = kChannels,
                       .crossing = Crossing::kEither,
                       .noise_factor = 1.2,
                       .noise_window_frames = 1'000,
                       .peak_frames = 9});
  std::vector<Event> events(50);
  std::size_t found = 0;
  drive([&](auto in, auto, std::size_t frames, std::int64_t first, std::size_t call) {
    found += stage.process(in, frames, first, events.data(), events.size()).events;
    if (call % 51 == 0) stage.flush(events.data(), events.size());
    if (call % 300 == 0) stage.reset();
  });
  EXPECT_GT(found, 100u);
  EXPECT_GT(stage.lost_events(), 0u);
}

TEST_F(RealTimeStages, TemplateDistance) {
  for (const std::size_t length : {30, 400}) {
    TemplateDistanceConfig config{.channels = kChannels, .block_frames = 32};
    const std::vector<double> from_stream(in_[0].begin() + 2'000,
                                          in_[0].begin() + 2'000 + static_cast<long>(length));
    config.templates.push_back({{0}, {from_stream}});
    config.templates.push_back({{3}, {std::vector<double>(length, 0.25)}});
    config.templates.push_back({{3, 1}, {std::vector<double>(length, -0.25), from_stream}});
    TemplateDistance stage(config);
    drive([&](auto in, auto out, std::size_t frames, std::int64_t first, std::size_t call) {
      stage.process(in, out, frames, first);
      if (call % 51 == 0) stage.reset();
    });
    EXPECT_GT(stage.exact_windows(), 0u);
  }
}

// Both may wake the pipeline thread, which is a system call.
TEST_F(RealTimeStages, AcquisitionStreamPushesAndReadsWithoutAllocationOrLock) {
  AcquisitionConfig config;
  config.engine.block_frames = 64;
  config.reference.emplace();
  config.envelope = EnvelopeConfig{.taps = 31};
  config.decimation = Decimation{4, FilterBank({std::vector<double>(20, 0.05)})};
  config.events =
      EventDetectorConfig{.crossing = Crossing::kRise, .levels = {0.5F}, .peak_frames = 5};
  Random random(1);
  AcquisitionStream stream(config, test::random_bank(random, {300}), Routing::rows(kChannels, 1));
  StreamHeader header;
  header.format.type = NativeType::kInt16;
  header.format.scale = 1.0 / 32'768;
  header.channels = kChannels;
  std::vector<std::int16_t> samples(kChannels * 100);
  for (auto& sample : samples) sample = static_cast<std::int16_t>(random());
  Packet packet;
  packet.frames = 100;
  packet.samples = samples.data();

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::size_t from = 0;
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    AcquiredBlock block;
    bool is_there = false;
    {
      const rt_guard::Scope scope(rt_guard::Watch::kMemoryAndLocks);
      if (packet.first_frame < 20'000) {
        from += stream.push(header, packet, from).frames;
      } else {
        stream.flush();
      }
      is_there = stream.read(block);
    }
    ended = has(block.filtered.flags, BlockFlags::kEndOfStream);
    if (from == packet.frames) {
      from = 0;
      packet.first_frame += packet.first_frame / 100 % 30 == 0 ? 150 : 100;  // now and then a gap
    }
    if (!is_there) std::this_thread::yield();
  }
  EXPECT_TRUE(ended);
  EXPECT_GT(stream.stats().engine.gaps, 0u);
  EXPECT_GT(stream.stats().events, 0u);
  EXPECT_EQ(rt_guard::violations(), 0) << rt_guard::first_violation();
}

}  // namespace
}  // namespace firbank
