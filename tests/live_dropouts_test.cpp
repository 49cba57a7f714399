#include "engine/live_dropouts.hpp"

#include <gtest/gtest.h>

namespace firbank {
namespace {

// So long that no other work of the machine makes a call late.
constexpr double kLongNs = 1e10;

std::uint64_t count(const LiveDropouts& dropouts, LiveStage stage) {
  LiveStatus status;
  dropouts.tell(status);
  return status.dropouts[static_cast<std::size_t>(stage)];
}

TEST(LiveDropouts, LayMissingAnswersToTheDevice) {
  LiveDropouts dropouts(48'000);
  dropouts.begin_call(0, kLongNs);
  dropouts.end_call(0);
  dropouts.begin_call(4'800, kLongNs);
  dropouts.end_call(480);
  dropouts.begin_call(9'600, kLongNs);
  dropouts.end_call(480);
  dropouts.begin_call(14'400, kLongNs);
  dropouts.end_call(528);
  EXPECT_EQ(count(dropouts, LiveStage::kDevice), 2u);
  EXPECT_EQ(count(dropouts, LiveStage::kCard), 0u);
  const std::vector<LiveEvent> events = dropouts.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, LiveEventKind::kLateAnswer);
  EXPECT_EQ(events[0].frame, 4'800);
  EXPECT_EQ(events[0].blame.stage, LiveStage::kDevice);
  EXPECT_EQ(events[0].blame.excess_ns, 10'000'000);
  EXPECT_EQ(events[1].frame, 14'400);
  EXPECT_EQ(events[1].blame.excess_ns, 1'000'000);
  LiveStatus status;
  dropouts.tell(status);
  EXPECT_EQ(status.xruns, 0u) << "the card heard every call in time";
}

TEST(LiveDropouts, CountAnXrunOnceWhateverItLost) {
  LiveDropouts dropouts(48'000);
  dropouts.begin_call(0, kLongNs);
  dropouts.end_call(0);
  DeviceGlitches glitches;
  glitches.input_overflow = true;
  dropouts.note_glitch(glitches);
  glitches = {};
  glitches.output_underflow = true;
  dropouts.note_glitch(glitches);
  dropouts.note_glitch({});
  dropouts.begin_call(64, kLongNs);
  dropouts.end_call(0);
  dropouts.begin_call(128, kLongNs);
  dropouts.end_call(0);
  LiveStatus status;
  dropouts.tell(status);
  EXPECT_EQ(status.xruns, 1u);
  EXPECT_EQ(count(dropouts, LiveStage::kCard), 1u);
  ASSERT_EQ(dropouts.events().size(), 2u);
  for (const LiveEvent& event : dropouts.events()) EXPECT_EQ(event.frame, 64);
}

TEST(LiveDropouts, ForgetAtAGapWhatTheDeviceToldBefore) {
  LiveDropouts dropouts(48'000);
  DeviceGlitches glitches;
  glitches.output_underflow = true;
  dropouts.note_glitch(glitches);
  dropouts.note_gap(640, 2.5);
  dropouts.begin_call(640, kLongNs);
  dropouts.end_call(0);
  LiveStatus status;
  dropouts.tell(status);
  EXPECT_EQ(status.xruns, 0u);
  EXPECT_EQ(status.gaps, 1u);
  EXPECT_EQ(status.gap_seconds, 2.5);
  ASSERT_EQ(dropouts.events().size(), 1u);
  EXPECT_EQ(dropouts.events()[0].blame.excess_ns, 2'500'000'000);
}

}  // namespace
}  // namespace firbank
