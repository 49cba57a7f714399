#include "demos/firbank/bench/loopback/loopback_player.hpp"

#include <array>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "demos/firbank/bench/loopback/loopback_signal.hpp"
#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

/// Calls the player as a card does whose input is its output, one call later.
class Card {
 public:
  explicit Card(LoopbackPlayer& player) : player_(player) {}

  void call(std::size_t frames, bool glitch = false) {
    out_.assign(frames, 7.0f);
    before_.resize(frames);
    const float* const in = before_.data();
    float* const out = out_.data();
    AudioGlitches glitches;
    glitches.output_underflow = glitch;
    player_.process(&in, &out, frames, glitches);
    before_ = out_;
    played_.insert(played_.end(), out_.begin(), out_.end());
  }

  const std::vector<float>& played() const { return played_; }

 private:
  LoopbackPlayer& player_;
  std::vector<float> before_;
  std::vector<float> out_;
  std::vector<float> played_;
};

std::vector<float> counting(std::size_t frames) {
  std::vector<float> signal(frames);
  for (std::size_t n = 0; n < frames; ++n) signal[n] = static_cast<float>(n + 1);
  return signal;
}

TEST(LoopbackPlayer, RecordsInStepWithWhatItPlays) {
  LoopbackPlayer player(counting(1'000), 10);
  Card card(player);
  for (int n = 0; n < 8; ++n) card.call(128, n == 3);
  EXPECT_TRUE(player.is_done());
  EXPECT_EQ(player.position(), 1'000u);
  EXPECT_EQ(player.longest_call_frames(), 128u);
  ASSERT_EQ(player.recording().size(), 1'000u);
  for (std::size_t n = 0; n < 1'000; ++n) {
    ASSERT_EQ(card.played()[n], static_cast<float>(n + 1));
    ASSERT_EQ(player.recording()[n], n < 128 ? 0.0f : static_cast<float>(n - 127)) << n;
  }
  for (std::size_t n = 1'000; n < 1'024; ++n) ASSERT_EQ(card.played()[n], 0.0f);
  ASSERT_EQ(player.glitches().size(), 1u);
  EXPECT_EQ(player.glitches()[0], 3u * 128);

  card.call(128, true);  // after its end it is silent, and nothing counts any more
  EXPECT_EQ(player.recording().size(), 1'000u);
  EXPECT_EQ(player.glitches().size(), 1u);
  EXPECT_EQ(card.played().back(), 0.0f);
}

TEST(LoopbackPlayer, FadesOutWhenItIsStopped) {
  LoopbackPlayer player(std::vector<float>(1'000, 1.0f), 100);
  Card card(player);
  card.call(64);
  player.stop();
  card.call(64);
  EXPECT_FALSE(player.is_done());
  card.call(64);
  EXPECT_TRUE(player.is_done());
  for (std::size_t n = 1; n < card.played().size(); ++n) {
    EXPECT_LE(card.played()[n - 1] - card.played()[n], 0.0101f) << n;
  }
  EXPECT_EQ(card.played().back(), 0.0f);
}

TEST(LoopbackSignal, IsASequenceThatFadesInAndOut) {
  LoopbackSetting setting;
  setting.sequence_order = 12;
  setting.repeats = 3;
  setting.level_dbfs = -26;
  const LoopbackTimeline timeline(setting);
  EXPECT_EQ(timeline.sequence_frames, 4'095u);
  EXPECT_EQ(timeline.first_frame, 12'000u);
  EXPECT_EQ(timeline.fade_frames, 960u);
  const std::vector<float> signal = loopback_signal(setting);
  ASSERT_EQ(signal.size(), timeline.total_frames);
  const std::vector<double> sequence = maximum_length_sequence(12);
  const double level = std::pow(10, -26.0 / 20);
  const std::size_t end = timeline.first_frame + 4 * 4'095;
  for (std::size_t n = 0; n < signal.size(); ++n) {
    const bool is_silent = n < timeline.first_frame || n >= end + timeline.fade_frames;
    const bool is_fading = n < timeline.first_frame + timeline.fade_frames || n >= end;
    const double wanted = level * sequence[(n - timeline.first_frame) % sequence.size()];
    if (is_silent) {
      ASSERT_EQ(signal[n], 0.0f) << n;
    } else if (is_fading) {
      ASSERT_LT(std::abs(signal[n]), level) << n;
    } else {
      ASSERT_FLOAT_EQ(signal[n], static_cast<float>(wanted)) << n;
    }
  }
  EXPECT_LT(std::abs(signal[timeline.first_frame]), 1e-5);
}

TEST(LoopbackSignal, RefusesWhatItCannotPlay) {
  LoopbackSetting setting;
  setting.sequence_order = 19;
  EXPECT_THROW(loopback_signal(setting), Error);
  setting.sequence_order = 10;
  setting.extra_delay_frames = -1;
  EXPECT_THROW(loopback_signal(setting), Error);
  setting.extra_delay_frames = 8'193;
  EXPECT_THROW(loopback_signal(setting), Error);
  setting.extra_delay_frames = 0.5;  // between its samples a sequence is higher than at them
  setting.level_dbfs = -1;
  EXPECT_THROW(loopback_signal(setting), Error);
  setting.extra_delay_frames = 1;
  EXPECT_NO_THROW(loopback_signal(setting));
}

}  // namespace
}  // namespace firbank::program
