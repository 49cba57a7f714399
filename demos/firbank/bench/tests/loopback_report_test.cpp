#include "demos/firbank/bench/loopback/loopback_report.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Four repeats, made up, at these delays.
LoopbackRun run_of(std::vector<double> delays) {
  LoopbackRun run;
  run.setting.repeats = 4;
  run.input_device = "ALSA: in";
  run.output_device = "ALSA: out";
  run.input_channel = 2;
  run.block_frames = 64;
  for (std::size_t n = 0; n < delays.size(); ++n) {
    run.estimate.repeats.push_back({48'000.0 * static_cast<double>(n + 1), delays[n], 50});
  }
  RoundTrip trip;
  trip.frames = 480.5;
  trip.spread_frames = 0.02;
  trip.spread_about_drift_frames = 0.02;
  trip.drift_ppm = 0.01;
  trip.drift_error_ppm = 0.1;
  run.estimate.round_trip = trip;
  run.estimate.response = {{-0.5, 0.25}, {0.5, 0.5}};
  return run;
}

LoopbackRun good_run() {
  return run_of({480.5, 480.51, 480.49, 480.5});
}

TEST(LoopbackReport, HasWhatTheSchemaNames) {
  LoopbackRun run = good_run();
  run.output_latency_s = 0.004;
  run.input_latency_s = 0.002;
  const nlohmann::ordered_json report = loopback_report(run);
  EXPECT_EQ(report["schema"], "firbank.bench.loopback.1");
  EXPECT_THAT(report["date"].get<std::string>(),
              testing::MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z"));
  EXPECT_TRUE(report["program"].is_object());
  EXPECT_TRUE(report["environment"].is_object());
  EXPECT_EQ(report["setting"]["input_channel"], 3);
  EXPECT_EQ(report["setting"]["output_channel"], 1);
  EXPECT_EQ(report["setting"]["sequence_frames"], 32'767);
  EXPECT_EQ(report["round_trip"]["frames"], 480.5);
  EXPECT_DOUBLE_EQ(report["round_trip"]["seconds"].get<double>(), 480.5 / 48'000);
  EXPECT_DOUBLE_EQ(report["claimed"]["total_frames"].get<double>(), 288);
  ASSERT_EQ(report["repeats"].size(), 4u);
  EXPECT_EQ(report["repeats"][1]["at_s"], 2);
  EXPECT_EQ(report["response"][1]["value"], 0.5);
  EXPECT_EQ(report["verdict"]["usable"], true);
  EXPECT_TRUE(report["verdict"]["reasons"].empty());
  EXPECT_NEAR(report["headline"]["value"].get<double>(), 480.5 / 48e-6, 1e-3);
}

TEST(LoopbackReport, HasNullForWhatThereIsNot) {
  LoopbackRun run = good_run();
  run.estimate = {};
  run.estimate.refusal = "the input is silent";
  run.input_latency_s = 0.002;  // the other way is not told
  const nlohmann::ordered_json report = loopback_report(run);
  EXPECT_TRUE(report["round_trip"].is_null());
  EXPECT_TRUE(report["headline"]["value"].is_null());
  EXPECT_TRUE(report["claimed"]["output_s"].is_null());
  EXPECT_TRUE(report["claimed"]["total_frames"].is_null());
  EXPECT_EQ(report["verdict"]["usable"], false);
  EXPECT_EQ(report["verdict"]["reasons"][0], "the input is silent");
}

TEST(LoopbackVerdict, WantsThreeRepeatsUnlessFewerWereAskedFor) {
  LoopbackRun run = run_of({1, 1});
  run.estimate.round_trip->drift_ppm = std::nullopt;
  EXPECT_FALSE(loopback_verdict(run).usable);
  EXPECT_THAT(loopback_verdict(run).reasons, ElementsAre(HasSubstr("only 2 of 4 repeats")));
  run.setting.repeats = 2;
  EXPECT_TRUE(loopback_verdict(run).usable);
}

TEST(LoopbackVerdict, DoesNotTrustRepeatsThatDiffer) {
  LoopbackRun run = run_of({480, 480, 544, 544});
  run.estimate.round_trip->spread_frames = 64;
  run.estimate.round_trip->spread_about_drift_frames = 30;
  run.estimate.round_trip->drift_error_ppm = 500;
  const LoopbackVerdict verdict = loopback_verdict(run);
  EXPECT_FALSE(verdict.usable);
  EXPECT_THAT(verdict.reasons, ElementsAre(HasSubstr("differ by 30 frames")));
}

TEST(LoopbackVerdict, TellsOfDriftAndOfAWeakWay) {
  LoopbackRun run = run_of({480, 484, 488, 492});
  RoundTrip& trip = *run.estimate.round_trip;
  trip.drift_ppm = 83.3;
  trip.spread_frames = 12;
  EXPECT_TRUE(has_drift(run));
  trip.gain_db = -72;
  const LoopbackVerdict verdict = loopback_verdict(run);
  EXPECT_TRUE(verdict.usable);
  EXPECT_THAT(verdict.reasons, ElementsAre(HasSubstr("83 ppm"), HasSubstr("72 dB below")));
}

TEST(LoopbackVerdict, TakesNoNoiseForDrift) {
  LoopbackRun run = good_run();
  EXPECT_FALSE(has_drift(run));
  run.estimate.round_trip->drift_ppm = -0.29;
  EXPECT_FALSE(has_drift(run));
  run.estimate.round_trip->drift_ppm = -0.31;
  EXPECT_TRUE(has_drift(run));
  // Nor a hundredth of a frame, however sure it is: over three seconds that is 0.07 ppm.
  run.estimate.round_trip->drift_error_ppm = 0;
  run.estimate.round_trip->drift_ppm = 0.06;
  EXPECT_FALSE(has_drift(run));
  run.estimate.round_trip->drift_ppm = 0.08;
  EXPECT_TRUE(has_drift(run));
}

TEST(LoopbackFigures, HaveNoMoreDigitsThanTheRepeatsAgreeOn) {
  RoundTrip trip;
  for (const auto& [spread, decimals] : std::vector<std::pair<double, int>>{
           {0, 3}, {1e-7, 3}, {0.001, 3}, {0.004, 3}, {0.02, 2}, {0.3, 1}, {1, 0}, {40, 0}}) {
    trip.spread_frames = spread;
    EXPECT_EQ(frame_decimals(trip), decimals) << spread;
  }
}

TEST(LoopbackFigures, TakeNoNonsenseForALatency) {
  EXPECT_EQ(usable_latency(0.005), 0.005);
  for (const double seconds :
       {0.0, -0.001, 89'478.48, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(usable_latency(seconds)) << seconds;
  }
}

}  // namespace
}  // namespace firbank::program
