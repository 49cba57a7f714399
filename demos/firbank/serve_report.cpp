#include "demos/firbank/serve_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr double kMs = 1e-6;

nlohmann::ordered_json to_json(const LossCount& loss) {
  return {{"count", loss.count}, {"frames", loss.frames}, {"first_frame", loss.first_frame}};
}

std::string loss_line(const ServeReport& report) {
  constexpr std::size_t kShown = 5;
  std::string text =
      fmt::format("lost       {} in {} before filtering:",
                  counted(static_cast<std::uint64_t>(report.packets.gaps.frames), "frame"),
                  counted(report.packets.gaps.count, "gap"));
  const std::size_t shown = std::min(kShown, report.losses.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const InputLoss& loss = report.losses[i];
    text += fmt::format("{} {} from {}", i == 0 ? "" : ",", loss.frames,
                        position(loss.first_frame, report.sample_rate_hz));
  }
  return text + (report.losses.size() > shown ? ", ...\n" : "\n");
}

}  // namespace

bool ServeReport::has_losses() const {
  const Stats& engine = acquisition.engine;
  const bool lost_on_the_way = packets.gaps.count > 0 || packets.backward.count > 0 ||
                               packets.truncated.count > 0 || packets.broken > 0;
  const bool lost_here = left.count > 0 || out_of_range.count > 0 || engine.lost_frames > 0 ||
                         engine.spoiled_frames > 0 || acquisition.lost_events > 0;
  return lost_on_the_way || lost_here || dropped_frames > 0 || dropped_receivers > 0;
}

nlohmann::ordered_json to_json(const ServeReport& report) {
  nlohmann::ordered_json json;
  const PacketStats& packets = report.packets;
  json["input"] = {{"from", report.input},
                   {"streams", packets.streams},
                   {"packets", packets.packets},
                   {"frames", packets.frames},
                   {"gaps", packets.gaps.count},
                   {"gap_frames", packets.gaps.frames},
                   {"first_gap_frame", packets.gaps.first_frame},
                   {"declared_rate_hz", packets.declared_rate_hz},
                   {"rate_hz", packets.rate_hz},
                   {"lost_packets", packets.lost_packets},
                   {"missed", to_json(packets.missed)},
                   {"backward", to_json(packets.backward)},
                   {"truncated", to_json(packets.truncated)},
                   {"restarts", packets.restarts},
                   {"out_of_range", to_json(report.out_of_range)},
                   {"left_at_the_end", to_json(report.left)},
                   {"broken_senders", packets.broken},
                   {"refused_senders", packets.refused},
                   {"last_error", packets.last_error}};
  json["losses"] = nlohmann::ordered_json::array();
  for (const InputLoss& loss : report.losses) {
    json["losses"].push_back(
        {{"stream", loss.stream}, {"first_frame", loss.first_frame}, {"frames", loss.frames}});
  }
  json["unlisted_losses"] = report.unlisted_losses;
  const Stats& engine = report.acquisition.engine;
  json["engine"] = {{"backend", report.backend},
                    {"frames", engine.frames},
                    {"gaps", engine.gaps},
                    {"gap_frames", engine.gap_frames},
                    {"spoiled_frames", engine.spoiled_frames},
                    {"lost_frames", engine.lost_frames}};
  json["events"] = {{"found", report.acquisition.events},
                    {"lost", report.acquisition.lost_events},
                    {"first_lost_frame", report.acquisition.first_lost_event_frame},
                    {"delay_frames", report.delay_frames}};
  json["latency_ms"] = {{"events", report.latency_ns.count()},
                        {"median", kMs * static_cast<double>(report.latency_ns.quantile_ns(0.5))},
                        {"p99", kMs * static_cast<double>(report.latency_ns.quantile_ns(0.99))},
                        {"max", kMs * static_cast<double>(report.latency_ns.max_ns())}};
  json["outputs"] = report.outputs;
  json["seconds"] = report.seconds;
  json["interrupted"] = report.interrupted;
  return json;
}

std::string summary(const ServeReport& report) {
  std::string text =
      fmt::format("input      {}: {}\n", report.input, firbank::summary(report.packets));
  if (report.packets.gaps.count > 0) text += loss_line(report);
  if (report.acquisition.engine.spoiled_frames > 0) {
    text += fmt::format("spoiled    {}, by samples that are not finite\n",
                        counted(report.acquisition.engine.spoiled_frames, "frame"));
  }
  const AcquisitionStats& done = report.acquisition;
  if (done.events > 0 || done.lost_events > 0) {
    text += fmt::format("events     {}", done.events);
    if (done.lost_events > 0) {
      text += fmt::format(", and {} lost, the first in the block at frame {}", done.lost_events,
                          done.first_lost_event_frame);
    }
    text += fmt::format("; from packet to event {} (median), {} (99%), {} (worst)\n",
                        duration(1e-9 * static_cast<double>(report.latency_ns.quantile_ns(0.5))),
                        duration(1e-9 * static_cast<double>(report.latency_ns.quantile_ns(0.99))),
                        duration(1e-9 * static_cast<double>(report.latency_ns.max_ns())));
  }
  if (report.out_of_range.count > 0) {
    text += fmt::format("left       {} from frame {} on, beyond what can be filtered\n",
                        counted(static_cast<std::uint64_t>(report.out_of_range.frames), "frame"),
                        report.out_of_range.first_frame);
  }
  if (report.left.count > 0) {
    text += fmt::format("left       {} from {} on, as it was to stop\n",
                        counted(static_cast<std::uint64_t>(report.left.frames), "frame"),
                        position(report.left.first_frame, report.sample_rate_hz));
  }
  for (const nlohmann::ordered_json& output : report.outputs) {
    text += fmt::format("{:<10} {} frames to {}", output["kind"].get<std::string>(),
                        output["frames"].get<std::int64_t>(), output["to"].get<std::string>());
    if (output.value("dropped_frames", std::int64_t{0}) > 0) {
      text += fmt::format(", {} dropped from frame {} on", output["dropped_frames"].dump(),
                          output["first_dropped_frame"].dump());
    }
    if (output.value("dropped_receivers", std::uint64_t{0}) > 0) {
      text += fmt::format(", {} dropped, the first from frame {} on",
                          counted(output["dropped_receivers"].get<std::uint64_t>(), "receiver"),
                          output["first_dropped_receiver_frame"].dump());
    }
    if (output.contains("failure")) {
      text += fmt::format(", then it failed, {} lost", output["unwritten_frames"].dump());
    }
    text += "\n";
  }
  return text;
}

}  // namespace firbank::program
