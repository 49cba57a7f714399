#include "demos/firbank/monitor/live_readings_json.hpp"

#include <cmath>

#include "demos/firbank/live_json.hpp"
#include "demos/firbank/version.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

/// To 1 / `steps`: enough to draw, and a fraction of the bytes.
double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

double amplitude(float value) {
  return rounded(static_cast<double>(value), 1e6);
}

template <class LevelOf>
Json levels_json(std::size_t channels, LevelOf level_of) {
  Json list = Json::array();
  for (std::size_t c = 0; c < channels; ++c) {
    const LevelReading level = level_of(c);
    list.push_back({{"peak", amplitude(level.peak)},
                    {"rms", amplitude(level.rms)},
                    {"highest", amplitude(level.highest)},
                    {"clips", level.clips}});
  }
  return list;
}

Json input_levels_json(const LiveSession& session) {
  return levels_json(session.inputs(), [&](std::size_t c) { return session.input_level(c); });
}

Json output_levels_json(const LiveSession& session) {
  return levels_json(session.outputs(), [&](std::size_t c) { return session.output_level(c); });
}

/// Some devices tell of whatever lay in memory.
Json latency_or_null(double seconds) {
  return is_likely_latency(seconds) ? Json(seconds) : Json();
}

/// A position that Stats may not have.
Json frame_or_null(std::int64_t frame) {
  return frame == Stats::kNone ? Json() : Json(frame);
}

Json engine_json(const Stats& stats) {
  return {{"frames", stats.frames},
          {"calls", stats.calls},
          {"spoiled_frames", stats.spoiled_frames},
          {"first_spoiled_frame", frame_or_null(stats.first_spoiled_frame)},
          {"swaps", stats.swaps},
          {"fail_over_frame", frame_or_null(stats.fail_over_frame)},
          {"lost_frames", stats.lost_frames},
          {"first_lost_frame", frame_or_null(stats.first_lost_frame)},
          {"late_frames", stats.late_frames},
          {"first_late_frame", frame_or_null(stats.first_late_frame)},
          {"truncated_frames", stats.truncated_frames},
          {"truncated_taps", stats.truncated_taps}};
}

Json spectrum_json(const std::vector<float>& levels_db) {
  Json list = Json::array();
  for (const float level : levels_db) list.push_back(rounded(static_cast<double>(level), 10));
  return list;
}

}  // namespace

Json state_json(const LiveSession& session, const LiveFacts& facts,
                const std::vector<double>& bands_hz) {
  const LiveStatus status = session.status();
  const double rate = session.sample_rate_hz();
  const LiveEngineFacts engine = session.engine_facts();
  Json bands = Json::array();
  for (const double centre : bands_hz) bands.push_back(rounded(centre, 10));
  return {{"version", kVersion},
          {"filters", facts.filters},
          {"choice", facts.choice + 1},
          {"filter", facts.choice < facts.filters.size() ? facts.filters[facts.choice] : ""},
          {"gain_db", status.gain_db},
          {"bypass", status.bypass},
          {"limiter", status.limiter},
          {"backends", facts.backends},
          {"backend", engine.backend},
          {"is_changing_backend", session.is_changing_engine()},
          {"plan", engine.plan},
          {"latency_frames", engine.latency_frames},
          {"latency_seconds", static_cast<double>(engine.latency_frames) / rate},
          {"input_device", facts.input_device},
          {"output_device", facts.output_device},
          {"device_is_there", facts.device_is_there},
          {"device_block_frames", facts.device_block_frames},
          {"device_input_latency_seconds", latency_or_null(facts.device_input_latency_seconds)},
          {"device_output_latency_seconds", latency_or_null(facts.device_output_latency_seconds)},
          {"sample_rate_hz", rate},
          {"channels_in", session.inputs()},
          {"channels_out", session.outputs()},
          {"bands_hz", std::move(bands)}};
}

Json stats_json(const LiveSession& session, const LiveFacts& facts) {
  const LiveStatus status = session.status();
  const double rate = session.sample_rate_hz();
  Json load = to_json(status.load);
  load["recent"] = status.load.recent;
  load["histogram_step"] = 0.01;
  load["histogram"] = session.load().histogram();
  return {{"seconds", status.seconds},
          {"frames", status.frames},
          {"deadline_seconds", static_cast<double>(facts.device_block_frames) / rate},
          {"load", std::move(load)},
          {"xruns", status.xruns},
          {"dropouts", dropouts_json(status)},
          {"gaps", status.gaps},
          {"gap_seconds", status.gap_seconds},
          {"limited_frames", status.limited_frames},
          {"limiter_times", status.limiter_times},
          {"limiter_most_db", status.limiter_most_db},
          {"silenced_frames", status.silenced_frames},
          {"late_frames", status.late_frames},
          {"refused_frames", status.refused_frames},
          {"engine_changes", status.engine_changes},
          {"inputs", input_levels_json(session)},
          {"outputs", output_levels_json(session)},
          {"events", to_json(session.events())},
          {"engine", engine_json(status.engine)}};
}

Json moment_json(const LiveSession& session, const LiveFacts& facts, const Spectra& spectra) {
  const LiveStatus status = session.status();
  return {{"seconds", status.seconds},
          {"frames", status.frames},
          {"choice", facts.choice + 1},
          {"gain_db", status.gain_db},
          {"bypass", status.bypass},
          {"limiter", status.limiter},
          {"limiter_times", status.limiter_times},
          {"backend", session.engine_facts().backend},
          {"device_is_there", facts.device_is_there},
          {"load", rounded(status.load.recent, 1e4)},
          {"load_largest", rounded(status.load.largest, 1e4)},
          {"xruns", status.xruns},
          {"inputs", input_levels_json(session)},
          {"outputs", output_levels_json(session)},
          {"input_db", spectrum_json(spectra.input_db)},
          {"output_db", spectrum_json(spectra.output_db)}};
}

}  // namespace firbank::program
