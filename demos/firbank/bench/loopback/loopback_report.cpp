#include "demos/firbank/bench/loopback/loopback_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "demos/firbank/bench/machine/environment.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLeastRepeats = 3;
constexpr double kMostSpreadFrames = 1;  // about the drift
constexpr double kWeakPathDb = -60;

Json or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json setting_json(const LoopbackRun& run) {
  const LoopbackSetting& setting = run.setting;
  return {{"input_device", run.input_device},
          {"output_device", run.output_device},
          {"sample_rate_hz", setting.sample_rate_hz},
          {"block_frames", run.block_frames},
          {"sequence_order", setting.sequence_order},
          {"sequence_frames", sequence_frames(setting.sequence_order)},
          {"repeats", setting.repeats},
          {"warm_up_repeats", kWarmUpRepeats},
          {"level_dbfs", setting.level_dbfs},
          {"input_channel", run.input_channel + 1},
          {"output_channel", run.output_channel + 1},
          {"extra_delay_frames", setting.extra_delay_frames}};
}

Json round_trip_json(const LoopbackRun& run) {
  if (!run.estimate.round_trip) return nullptr;
  const RoundTrip& trip = *run.estimate.round_trip;
  return {{"frames", trip.frames},
          {"seconds", trip.frames / run.setting.sample_rate_hz},
          {"spread_frames", trip.spread_frames},
          {"peak_to_noise_db", trip.peak_to_noise_db},
          {"polarity", trip.polarity},
          {"gain_db", trip.gain_db},
          {"drift_ppm", or_null(trip.drift_ppm)},
          {"drift_error_ppm", trip.drift_ppm ? Json(trip.drift_error_ppm) : Json(nullptr)}};
}

Json repeats_json(const LoopbackRun& run) {
  Json list = Json::array();
  for (const DelayRepeat& repeat : run.estimate.repeats) {
    list.push_back({{"at_s", repeat.at_frame / run.setting.sample_rate_hz},
                    {"frames", repeat.delay_frames},
                    {"peak_to_noise_db", repeat.peak_to_noise_db}});
  }
  return list;
}

Json response_json(const LoopbackRun& run) {
  Json list = Json::array();
  for (const ResponsePoint& point : run.estimate.response) {
    list.push_back({{"lag_frames", point.lag_frames}, {"value", point.value}});
  }
  return list;
}

Json headline_json(const LoopbackRun& run) {
  Json value = nullptr;
  if (run.estimate.round_trip) {
    value = 1e9 * run.estimate.round_trip->frames / run.setting.sample_rate_hz;
  }
  return {{"name", "round trip"}, {"value", value}, {"unit", "ns"}, {"better", "less"}};
}

}  // namespace

std::optional<double> usable_latency(double seconds) {
  constexpr double kMostSeconds = 10;
  if (!(seconds > 0 && seconds <= kMostSeconds)) return std::nullopt;
  return seconds;
}

std::optional<double> claimed_frames(const LoopbackRun& run) {
  if (!run.input_latency_s || !run.output_latency_s) return std::nullopt;
  return (*run.input_latency_s + *run.output_latency_s) * run.setting.sample_rate_hz;
}

std::optional<double> least_drift_ppm(const LoopbackRun& run) {
  const auto& trip = run.estimate.round_trip;
  if (!trip || !trip->drift_ppm) return std::nullopt;
  constexpr double kLeastFrames = 0.01;
  const std::vector<DelayRepeat>& repeats = run.estimate.repeats;
  const double frames = repeats.back().at_frame - repeats.front().at_frame;
  return std::max(3 * trip->drift_error_ppm, 1e6 * kLeastFrames / frames);
}

bool has_drift(const LoopbackRun& run) {
  const std::optional<double> least = least_drift_ppm(run);
  return least && std::abs(*run.estimate.round_trip->drift_ppm) > *least;
}

LoopbackVerdict loopback_verdict(const LoopbackRun& run) {
  const DelayEstimate& estimate = run.estimate;
  if (!estimate.round_trip) return {false, {estimate.refusal}};
  const RoundTrip& trip = *estimate.round_trip;
  LoopbackVerdict verdict{true, {}};
  const std::size_t left = estimate.repeats.size();
  if (left < std::min(kLeastRepeats, run.setting.repeats)) {
    verdict.usable = false;
    verdict.reasons.push_back(fmt::format("only {} of {} repeats came back whole, {} are needed",
                                          left, run.setting.repeats, kLeastRepeats));
  }
  if (trip.spread_about_drift_frames > kMostSpreadFrames) {
    verdict.usable = false;
    verdict.reasons.push_back(
        fmt::format("the repeats differ by {:.3g} frames: samples were lost that nobody told of, "
                    "or the noise is too loud",
                    trip.spread_about_drift_frames));
  }
  if (has_drift(run)) {
    verdict.reasons.push_back(
        fmt::format("the delay changes by {:.2g} ppm of the time: input and output run by two "
                    "clocks, and the figure is of the middle of the run",
                    *trip.drift_ppm));
  }
  if (trip.gain_db < kWeakPathDb) {
    verdict.reasons.push_back(fmt::format(
        "what came back is {:.0f} dB below what was played: it may be crosstalk, of another way",
        -trip.gain_db));
  }
  return verdict;
}

int frame_decimals(const RoundTrip& trip) {
  constexpr int kMost = 3;
  if (trip.spread_frames <= 0) return kMost;
  return std::clamp(static_cast<int>(std::ceil(-std::log10(trip.spread_frames))), 0, kMost);
}

Json loopback_report(const LoopbackRun& run) {
  const LoopbackVerdict verdict = loopback_verdict(run);
  Json json = begin_report("loopback");
  json["setting"] = setting_json(run);
  json["round_trip"] = round_trip_json(run);
  json["claimed"] = {{"input_s", or_null(run.input_latency_s)},
                     {"output_s", or_null(run.output_latency_s)},
                     {"total_frames", or_null(claimed_frames(run))}};
  json["repeats"] = repeats_json(run);
  json["left_out"] = {{"warm_up", kWarmUpRepeats},
                      {"spoiled", run.estimate.spoiled_repeats},
                      {"too_late", run.estimate.late_repeats}};
  json["response"] = response_json(run);
  json["glitches"] = run.glitches;
  json["verdict"] = {{"usable", verdict.usable}, {"reasons", verdict.reasons}};
  json["headline"] = headline_json(run);
  return json;
}

}  // namespace firbank::program
