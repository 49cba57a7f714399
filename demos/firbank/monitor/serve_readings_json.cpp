#include "demos/firbank/monitor/serve_readings_json.hpp"

#include <algorithm>
#include <cmath>

#include "demos/firbank/serve_json.hpp"
#include "demos/firbank/version.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

/// To about four digits: enough to draw, and a fraction of the bytes.
double rounded(float value) {
  if (value == 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 3);
  return std::round(static_cast<double>(value) / unit) * unit;
}

/// Whole steps of the largest sample's 4,000th part. What is 1 / 4,000 of that is not seen anyway.
float step_of(const ServeWatch::View& view) {
  constexpr float kSteps = 4'000;
  float largest = 0;
  for (const float low : view.low) largest = std::max(largest, std::abs(low));
  for (const float high : view.high) largest = std::max(largest, std::abs(high));
  return largest / kSteps;
}

/// By channel, a list of bins each.
Json bins_json(const std::vector<float>& values, std::size_t bins, std::size_t channels,
               float step) {
  Json list = Json::array();
  for (std::size_t c = 0; c < channels; ++c) {
    Json channel = Json::array();
    for (std::size_t bin = 0; bin < bins; ++bin) {
      channel.push_back(step > 0 ? std::lround(values[bin * channels + c] / step) : 0L);
    }
    list.push_back(std::move(channel));
  }
  return list;
}

Json bins_json(const ServeWatch::View& view, std::size_t channels) {
  const float step = step_of(view);
  return {{"first", view.first_bin},
          {"count", view.bins},
          {"step", step},
          {"low", bins_json(view.low, view.bins, channels, step)},
          {"high", bins_json(view.high, view.bins, channels, step)}};
}

Json events_json(const ServeWatch::View& view) {
  Json frames = Json::array();
  Json channels = Json::array();
  for (const Event& event : view.events) {
    frames.push_back(event.frame);
    channels.push_back(event.channel);
  }
  return {{"before", view.events_before},
          {"frames", std::move(frames)},
          {"channels", std::move(channels)}};
}

/// Of the newest losses those that are in the stream and behind the first `before`.
Json losses_json(const ServeStatus& status, std::uint64_t before) {
  Json list = Json::array();
  std::uint64_t number = status.losses - status.newest_losses.size();
  for (const InputLoss& loss : status.newest_losses) {
    if (number++ < before || loss.stream != status.stream) continue;
    list.push_back({loss.first_frame, loss.frames});
  }
  return list;
}

}  // namespace

Json state_json(const ServeFacts& facts, const ServeStatus& status, const ServeWatch& watch) {
  return {{"version", kVersion},
          {"input", status.input},
          {"sample_rate_hz", status.sample_rate_hz},
          {"unit", status.unit},
          {"input_channels", *status.input_names},
          {"output_channels", facts.outputs},
          {"is_in_rows", facts.is_in_rows},
          {"bad_channels", status.bad_channels},
          {"reference", facts.reference},
          {"envelope", facts.envelope},
          {"detection", facts.detection},
          {"decimation", facts.decimation},
          {"delay_frames", facts.delay_frames},
          {"bin_frames", watch.bin_frames() * facts.decimation},
          {"most_channels", ChannelWindow::kMost},
          {"backend", status.backend},
          {"plan", facts.plan},
          {"block_frames", facts.block_frames}};
}

Json stats_json(const ServeStatus& status) {
  Json json = to_json(status);
  json["stream"] = status.stream;
  json["has_sender"] = status.has_sender;
  json["silent_seconds"] = status.silent_seconds;
  json["recent_latency_ms"] = to_json(status.recent_latency);
  json["losses"] = Json::array();
  for (const InputLoss& loss : status.newest_losses) json["losses"].push_back(to_json(loss));
  json["losses_before"] = status.losses - status.newest_losses.size();
  return json;
}

Json moment_json(const ServeStatus& status, const ChannelWindow& window,
                 const ServeWatch::View& view, std::uint64_t losses_before) {
  Json json = {{"seconds", status.seconds},
               {"stream", status.stream},
               {"has_sender", status.has_sender},
               {"silent_seconds", status.silent_seconds},
               {"backend", status.backend},
               {"packets", status.packets.packets},
               {"frames", status.packets.frames},
               {"rate_hz", status.packets.rate_hz},
               {"declared_rate_hz", status.packets.declared_rate_hz},
               {"gaps", status.packets.gaps.count},
               {"gap_frames", status.packets.gaps.frames},
               {"events_found", status.acquisition.events},
               {"recent_latency_ms", to_json(status.recent_latency)},
               {"first", window.first},
               {"count", window.count},
               {"bins", bins_json(view, window.count)},
               {"events", events_json(view)},
               {"losses", losses_json(status, losses_before)}};
  if (!view.rms.empty()) {
    json["rms"] = Json::array();
    for (const float rms : view.rms) json["rms"].push_back(rounded(rms));
  }
  return json;
}

}  // namespace firbank::program
