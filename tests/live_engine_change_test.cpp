// Another engine in the place of the one that is heard: the output is what a direct convolution
// gives before, after, and in the mix of both during the fade, whatever the backends.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/live_session.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;
using testing::HasSubstr;

LiveConfig config_of(const std::string& backend, std::size_t block, std::size_t max_taps) {
  LiveConfig config;
  config.engine.block_frames = block;
  config.engine.backend = backend;
  config.engine.max_taps = max_taps;
  config.fade_in_seconds = 0;
  config.may_change_engine = true;
  return config;
}

/// The message of what it throws.
template <class Act>
std::string refusal(Act&& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

/// Plays a signal in calls, piece by piece.
class Player {
 public:
  Player(LiveSession& session, const Signal& in)
      : session_(session), in_(in), out_(session.outputs(), in_.frames()) {}

  /// False at the end.
  bool play(std::size_t frames) {
    frames = std::min(frames, in_.frames() - position_);
    if (frames == 0) return false;
    session_.process(in_.from(position_), out_.from(position_), frames);
    position_ += frames;
    return true;
  }
  std::size_t position() const { return position_; }
  Signal out() const { return out_.signal(position_); }

 private:
  LiveSession& session_;
  test::Planes<float> in_;
  test::Planes<float> out_;
  std::size_t position_ = 0;
};

/// One answer until `start`, the other from `frames` later on, and their mix between.
Signal faded(const Signal& before, const Signal& after, std::size_t start, std::size_t frames) {
  Signal result = after;
  for (std::size_t c = 0; c < result.size(); ++c) {
    for (std::size_t n = 0; n < std::min(start + frames, result[c].size()); ++n) {
      const double weight =
          n < start ? 0 : static_cast<double>(n - start + 1) / (static_cast<double>(frames) + 1);
      result[c][n] = before[c][n] + weight * (after[c][n] - before[c][n]);
    }
  }
  return result;
}

TEST(LiveEngineChange, IsNotHeardWhereOnlyTheBackendChanges) {
  const std::vector<std::string> backends = test::available_backends();
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    Random random(seed);
    const std::size_t block = test::between(random, 1, 300);
    const std::string& first = backends[seed % backends.size()];
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", from " << first);
    const Routing routing = test::random_routing(random, 2, 3, 3, 6, 100);
    const FilterBank bank = test::random_bank(random, {1, 300, 2'000});
    const Signal in = test::random_signal(random, 2, 12'000);
    LiveSession session(config_of(first, block, 0), bank, routing);
    Player player(session, in);
    std::uint64_t asked = 0;
    std::size_t call = 0;
    for (const std::size_t frames : test::random_calls(random, 12'000, block, 500)) {
      if (++call % 12 == 6 && !session.is_changing_engine()) {
        EngineConfig engine = session.engine_config();
        engine.backend = backends[(seed + ++asked) % backends.size()];
        engine.block_frames = test::between(random, 1, 300);
        session.change_engine(engine, test::between(random, 0, 700));
      }
      player.play(frames);
    }
    EXPECT_TRUE(test::follows(player.out(), direct_convolution(in, bank, routing, 12'000), 2e-6));
    const LiveStatus status = session.status();
    EXPECT_GT(asked, 0u);
    EXPECT_GE(status.engine_changes + 1, asked);
    EXPECT_EQ(status.frames, 12'000);
    EXPECT_EQ(status.engine.frames, 12'000) << "what is heard for the past does not count";
    EXPECT_EQ(session.engine_facts().backend,
              backends[(seed + status.engine_changes) % backends.size()]);
  }
}

TEST(LiveEngineChange, FadesToOtherFiltersAndEdges) {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    Random random(seed);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Routing routing = test::random_routing(random, 3, 3, 2, 6, 60);
    Routing other = test::random_routing(random, 3, 3, 2, 9, 60);
    while (other.max_delay() > routing.max_delay()) {
      other = test::random_routing(random, 3, 3, 2, 9, 60);
    }
    const FilterBank bank = test::random_bank(random, {900, 40, 1});
    const FilterBank other_bank = test::random_bank(random, {1'500, 7, 300});
    const Signal in = test::random_signal(random, 3, 9'000);
    LiveSession session(config_of("auto", 64, 1'500), bank, routing);
    Player player(session, in);
    const std::size_t at = test::between(random, 0, 4'000);
    const std::size_t fade = test::between(random, 0, 1'500);
    bool asked = false;
    for (const std::size_t frames : test::random_calls(random, 9'000, 64, 200)) {
      if (!asked && player.position() >= at) {
        session.change_engine(session.engine_config(), other_bank, other, fade);
        asked = true;
      }
      player.play(frames);
    }
    ASSERT_EQ(session.status().engine_changes, 1u);
    const auto start = static_cast<std::size_t>(session.engine_facts().heard_from);
    EXPECT_LT(start, at + 400) << "nothing is waited for";
    EXPECT_TRUE(test::follows(player.out(),
                              faded(direct_convolution(in, bank, routing, 9'000),
                                    direct_convolution(in, other_bank, other, 9'000), start, fade),
                              2e-6));
  }
}

TEST(LiveEngineChange, HappensBesideACallback) {
  const std::vector<std::string> backends = test::available_backends();
  Random random(7);
  const Routing routing = Routing::rows(2, 1);
  const FilterBank bank = test::random_bank(random, {6'000});
  const FilterBank other = test::random_bank(random, {5'000});
  const Signal in = test::random_signal(random, 2, 96'000);
  LiveSession session(config_of(backends.back(), 64, 0), bank, routing);
  Player player(session, in);
  std::atomic<bool> done{false};
  std::thread callback([&] {
    while (player.play(64)) std::this_thread::sleep_for(std::chrono::microseconds(200));
    done = true;
  });
  std::thread watcher([&] {
    while (!done) {
      session.status();
      session.engine_facts();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  std::size_t changes = 0;
  std::uint64_t ticket = 0;
  while (!done) {
    session.free_old_engines();
    if (!session.is_changing_engine() && changes < 6) {
      EngineConfig engine = session.engine_config();
      engine.backend = backends[changes % backends.size()];
      session.change_engine(engine, 640);
      ++changes;
      if (changes == 3) ticket = session.swap(other, 1'000);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  callback.join();
  watcher.join();
  EXPECT_EQ(session.status().engine_changes, 6u);
  EXPECT_EQ(session.status().engine.frames, 96'000);
  // The bank was faded to by both engines, not in the very same frames: the output is between.
  const auto live = session.live_frame(ticket);
  ASSERT_TRUE(live);
  EXPECT_EQ(session.live_frame(ticket), live) << "it is told again";
  const Signal before = direct_convolution(in, bank, routing, 96'000);
  const Signal after = direct_convolution(in, other, routing, 96'000);
  const auto start = static_cast<std::size_t>(*live);
  const Signal out = player.out();
  constexpr std::size_t kAround = 4'000;
  const std::size_t until = start > kAround ? start - kAround : 0;
  EXPECT_TRUE(test::follows(test::cut(out, 0, until), test::cut(before, 0, until), 2e-6));
  const std::size_t from = start + kAround;
  EXPECT_TRUE(test::follows(test::cut(out, from, 96'000 - from),
                            test::cut(after, from, 96'000 - from), 2e-6));
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t n = until; n < from; ++n) {
      const auto [low, high] = std::minmax(before[c][n], after[c][n]);
      ASSERT_GE(out[c][n], low - 1e-4) << n;
      ASSERT_LE(out[c][n], high + 1e-4) << n;
    }
  }
}

/// A callback that never rests: most changes come while it computes a block.
TEST(LiveEngineChange, HearsEachFrameOnceBesideABusyCallback) {
  Random random(11);
  const Routing routing = Routing::rows(2, 1);
  const FilterBank bank = test::random_bank(random, {300});
  const Signal in = test::random_signal(random, 2, 1'500'000);
  LiveSession session(config_of("auto", 256, 0), bank, routing);
  Player player(session, in);
  session.change_engine(session.engine_config(), 16);
  std::atomic<bool> done{false};
  std::thread callback([&] {
    while (player.play(256)) {
    }
    done = true;
  });
  while (!done) {
    session.free_old_engines();
    if (session.is_changing_engine()) continue;
    try {
      session.change_engine(session.engine_config(), 16);
    } catch (const Error&) {
      // The past was written over before it was read, as the stream goes faster than any other.
    }
  }
  callback.join();
  EXPECT_TRUE(test::follows(player.out(), direct_convolution(in, bank, routing, 1'500'000), 2e-6));
}

TEST(LiveEngineChange, MakesNoLargerStepThanWhatIsHeardBeforeAndAfter) {
  Signal in(1, std::vector<double>(24'000));
  for (std::size_t n = 0; n < in[0].size(); ++n) {
    in[0][n] = static_cast<float>(0.5 * std::sin(0.05 * static_cast<double>(n)));
  }
  LiveSession session(config_of("auto", 64, 0), FilterBank({{1.0, 0.2}}), Routing::rows(1, 1));
  Player player(session, in);
  while (player.position() < 9'600) player.play(64);
  session.change_engine(session.engine_config(), FilterBank({{-0.3, -0.6}}), Routing::rows(1, 1),
                        2'400);
  while (player.play(64)) {
  }
  const Signal out = player.out();
  const auto largest_step = [&](std::size_t first, std::size_t last) {
    double step = 0;
    for (std::size_t n = first; n < last; ++n) {
      step = std::max(step, std::abs(out[0][n] - out[0][n - 1]));
    }
    return step;
  };
  EXPECT_EQ(session.engine_facts().heard_from, 9'600);
  EXPECT_LE(largest_step(9'500, 12'100),
            1.02 * std::max(largest_step(2, 9'500), largest_step(12'100, 24'000)));
}

TEST(LiveEngineChange, CarriesTheStreamsFlawsOn) {
  Random random(3);
  const FilterBank bank = test::random_bank(random, {500});
  Signal in = test::random_signal(random, 1, 6'400);
  in[0][1'900] = std::numeric_limits<double>::quiet_NaN();
  LiveSession session(config_of("auto", 64, 0), bank, Routing::rows(1, 1));
  Player player(session, in);
  while (player.position() < 2'048) player.play(64);
  session.change_engine(session.engine_config(), 0);
  while (player.play(64)) {
  }
  // 500 frames hear it, of which the first 148 are the first engine's.
  EXPECT_EQ(session.status().silenced_frames, 500);
  EXPECT_EQ(session.status().engine.spoiled_frames, 500);
  EXPECT_EQ(session.status().engine.first_spoiled_frame, 1'900);
}

TEST(LiveEngineChange, AGapIsItsEnd) {
  Random random(4);
  const FilterBank bank = test::random_bank(random, {500});
  const Signal in = test::random_signal(random, 1, 1'280);
  LiveSession session(config_of("auto", 64, 0), bank, Routing::rows(1, 1));
  Player before(session, in);
  while (before.position() < 640) before.play(64);
  EngineConfig engine = session.engine_config();
  engine.backend = "cpu-scalar";
  session.change_engine(engine, 4'800);
  session.note_gap(1);
  EXPECT_FALSE(session.is_changing_engine());
  EXPECT_EQ(session.engine_facts().backend, "cpu-scalar");
  Player after(session, in);
  while (after.play(64)) {
  }
  EXPECT_TRUE(
      test::follows(after.out(), direct_convolution(in, bank, Routing::rows(1, 1), 1'280), 2e-6));
  // What came before the gap is not heard by an engine that comes after it.
  session.note_gap(1);
  session.change_engine(engine, 0);
  Player last(session, in);
  while (last.play(64)) {
  }
  EXPECT_TRUE(
      test::follows(last.out(), direct_convolution(in, bank, Routing::rows(1, 1), 1'280), 2e-6));
}

TEST(LiveEngineChange, LeavesTheOldOneWhereTheNewOneCannotBe) {
  Random random(5);
  const FilterBank bank = test::random_bank(random, {300});
  const Signal in = test::random_signal(random, 1, 3'200);
  const Routing routing = Routing::rows(1, 1);
  LiveSession session(config_of("auto", 64, 0), bank, routing);
  Player player(session, in);
  player.play(640);
  const EngineConfig good = session.engine_config();
  EngineConfig bad = good;
  bad.backend = "cpu-abacus";
  EXPECT_THAT(refusal([&] { session.change_engine(bad, 0); }),
              HasSubstr("there is no backend 'cpu-abacus'; allowed: "));
  bad = good;
  bad.threads = 65;
  EXPECT_THAT(refusal([&] { session.change_engine(bad, 0); }), HasSubstr("threads is 65"));
  EXPECT_THAT(refusal([&] { session.change_engine(good, bank, Routing::rows(2, 1), 0); }),
              HasSubstr("for 2 inputs and 2 outputs; allowed: 1 and 1"));
  EXPECT_THAT(refusal([&] {
                session.change_engine(good, bank, Routing(1, 1, {{0, 0, 0, 1.0, 9}}), 0);
              }),
              HasSubstr("longest delay is 9 frames"));
  EXPECT_FALSE(session.is_changing_engine());
  session.change_engine(good, 1'000);
  EXPECT_THAT(refusal([&] { session.change_engine(good, 0); }), HasSubstr("one change at a time"));
  while (player.play(64)) {
  }
  EXPECT_EQ(session.status().engine_changes, 1u);
  EXPECT_TRUE(test::follows(player.out(), direct_convolution(in, bank, routing, 3'200), 2e-6));

  LiveConfig fixed;
  LiveSession other(fixed, bank, routing);
  EXPECT_THAT(refusal([&] { other.change_engine(good, 0); }),
              HasSubstr("may_change_engine is false"));
}

TEST(LiveEngineChange, RefusesWhatIsTooSlowForTheStream) {
  // A rate at which a frame lasts less than any processor needs for so many taps; and so many of
  // them that the past alone takes long enough to tell, whether or not the callback gets to run.
  LiveConfig config = config_of("cpu-scalar", 64, 0);
  config.engine.sample_rate_hz = 1e7;
  config.engine.partition_frames = {64};
  Random random(6);
  const FilterBank bank = test::random_bank(random, {400'000});
  const Signal in = test::random_signal(random, 1, 256'000);
  LiveSession session(config, bank, Routing::rows(1, 1));
  Player player(session, in);
  // As much as the filter hears, and more.
  while (player.play(64)) {
  }
  std::atomic<bool> done{false};
  std::thread callback([&] {
    // A stream of silence that the new engine cannot catch up with.
    const std::vector<float> silence(64);
    std::vector<float> out(64);
    const float* const planes[] = {silence.data()};
    float* const out_planes[] = {out.data()};
    while (!done) session.process(planes, out_planes, 64);
  });
  const std::string why = refusal([&] { session.change_engine(session.engine_config(), 0); });
  done = true;
  callback.join();
  EXPECT_THAT(why, HasSubstr("backend 'cpu-scalar' is too slow here"));
  EXPECT_FALSE(session.is_changing_engine());
}

class LiveEngineChangeOnGpu : public testing::Test {
 protected:
  static void give_time() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
};

/// `signal` `delay` frames later, with silence before it, and as long.
Signal delayed(Signal signal, std::size_t delay) {
  for (auto& channel : signal) {
    channel.insert(channel.begin(), delay, 0.0);
    channel.resize(channel.size() - delay);
  }
  return signal;
}

// The fake device computes as a GPU would. A busy machine may let it be late; then it is tried
// again.
TEST_F(LiveEngineChangeOnGpu, FadesBetweenLatencies) {
  Random random(8);
  const FilterBank bank = test::random_bank(random, {700});
  const Routing routing = Routing::rows(2, 1);
  constexpr std::size_t kFrames = 19'200;
  constexpr std::size_t kFade = 960;
  const Signal in = test::random_signal(random, 2, kFrames);
  const Signal wet = direct_convolution(in, bank, routing, kFrames);
  for (int attempt = 1;; ++attempt) {
    LiveConfig config = config_of("auto", 64, 0);
    config.gpu_slack_frames = 640;
    config.engine.ring_blocks = 64;
    config.dry_delay_frames = 5;
    LiveSession session(config, bank, routing);
    const std::string cpu = session.engine_facts().backend;
    Player player(session, in);
    std::size_t latency = 0;
    std::int64_t to_gpu = 0;
    for (; player.play(64); give_time()) {
      session.set_bypass(player.position() >= 15'360);
      if (player.position() == 3'840) {
        EngineConfig engine = session.engine_config();
        engine.backend = "cuda:0";
        session.change_engine(engine, kFade);
      }
      if (player.position() == 9'600) {
        ASSERT_EQ(session.engine_facts().backend, "cuda:0");
        latency = session.latency_frames();
        to_gpu = session.engine_facts().heard_from;
        EngineConfig engine = session.engine_config();
        engine.backend = "cpu";
        session.change_engine(engine, kFade);
      }
    }
    if (session.status().late_frames > 0 && attempt < 5) continue;
    ASSERT_EQ(session.status().late_frames, 0);
    EXPECT_EQ(session.status().refused_frames, 0);
    EXPECT_EQ(session.engine_facts().backend, cpu);
    EXPECT_EQ(session.latency_frames(), 0u);
    EXPECT_EQ(latency, 640u);
    // Answers of frames that it heard from its rings have to be there before it is heard.
    EXPECT_GE(to_gpu, 3'840 + 640 - 64);
    EXPECT_LE(to_gpu, 3'840 + 640 + 128);
    const auto back = static_cast<std::size_t>(session.engine_facts().heard_from);
    EXPECT_GE(back, 9'600u);
    const Signal late = delayed(wet, latency);
    Signal expected = faded(wet, late, static_cast<std::size_t>(to_gpu), kFade);
    expected = faded(expected, wet, back, kFade);
    const Signal out = player.out();
    EXPECT_TRUE(test::follows(test::cut(out, 0, 15'296), test::cut(expected, 0, 15'296), 2e-6));
    // Bypassed, behind its own fade: the input, delayed as the present engine wants it.
    EXPECT_EQ(test::cut(out, 17'000, 2'000), test::cut(delayed(in, 5), 17'000, 2'000));
    return;
  }
}

TEST_F(LiveEngineChangeOnGpu, SaysWhyThereIsNone) {
  LiveSession session(config_of("auto", 64, 0), FilterBank({{1.0}}), Routing::rows(1, 1));
  EngineConfig engine = session.engine_config();
  engine.backend = "cuda:7";
  EXPECT_THAT(refusal([&] { session.change_engine(engine, 0); }), HasSubstr("'cuda:7'"));
}

}  // namespace
}  // namespace firbank
