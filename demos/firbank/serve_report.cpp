#include "demos/firbank/serve_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "demos/firbank/serve_json.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

std::string loss_line(const ServeReport& report) {
  constexpr std::size_t kShown = 5;
  const LossCount& gaps = report.status.packets.gaps;
  std::string text = fmt::format("lost       {} in {} before filtering:",
                                 counted(static_cast<std::uint64_t>(gaps.frames), "frame"),
                                 counted(gaps.count, "gap"));
  const std::size_t shown = std::min(kShown, report.losses.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const InputLoss& loss = report.losses[i];
    text += fmt::format("{} {} from {}", i == 0 ? "" : ",", loss.frames,
                        position(loss.first_frame, report.status.sample_rate_hz));
  }
  return text + (report.losses.size() > shown ? ", ...\n" : "\n");
}

std::string events_line(const ServeStatus& status) {
  const AcquisitionStats& done = status.acquisition;
  std::string text = fmt::format("events     {}", done.events);
  if (done.lost_events > 0) {
    text += fmt::format(", and {} lost, the first in the block at frame {}", done.lost_events,
                        done.first_lost_event_frame);
  }
  const auto worded = [](std::uint64_t ns) { return duration(1e-9 * static_cast<double>(ns)); };
  return text + fmt::format("; from packet to event {} (median), {} (99%), {} (worst)\n",
                            worded(status.latency.median_ns), worded(status.latency.p99_ns),
                            worded(status.latency.max_ns));
}

/// Where it went; of recordings, which files those are in the end.
std::string place_of(const ServeLineStatus& line) {
  const std::vector<RecordedFile>& files = line.files;
  if (files.empty()) return line.to;
  if (files.size() == 1) return files.front().path;
  return fmt::format("{} files, {} to {}", files.size(), files.front().path, files.back().path);
}

std::string output_line(const ServeLineStatus& line) {
  std::string text =
      fmt::format("{:<10} {} frames to {}", name_of(line.kind), line.frames, place_of(line));
  if (line.dropped_frames > 0) {
    text +=
        fmt::format(", {} dropped from frame {} on", line.dropped_frames, line.first_dropped_frame);
  }
  const LossCount& receivers = line.packets.dropped;
  if (receivers.count > 0) {
    text += fmt::format(", {} dropped, the first from frame {} on",
                        counted(receivers.count, "receiver"), receivers.first_frame);
  }
  if (!line.failure.empty()) {
    text += fmt::format(", then it failed, {} lost", line.unwritten.frames);
  }
  return text + "\n";
}

}  // namespace

bool ServeReport::has_losses() const {
  const PacketStats& packets = status.packets;
  const Stats& engine = status.acquisition.engine;
  const bool lost_on_the_way = packets.gaps.count > 0 || packets.backward.count > 0 ||
                               packets.truncated.count > 0 || packets.broken > 0;
  const bool lost_here = status.left.count > 0 || status.out_of_range.count > 0 ||
                         engine.lost_frames > 0 || engine.spoiled_frames > 0 ||
                         status.acquisition.lost_events > 0;
  return lost_on_the_way || lost_here ||
         std::any_of(status.outputs.begin(), status.outputs.end(), [](const ServeLineStatus& line) {
           return line.dropped_frames > 0 || line.packets.dropped.count > 0;
         });
}

bool ServeReport::has_output_failure() const {
  return std::any_of(status.outputs.begin(), status.outputs.end(),
                     [](const ServeLineStatus& line) { return !line.failure.empty(); });
}

nlohmann::ordered_json to_json(const ServeReport& report) {
  nlohmann::ordered_json json = to_json(report.status);
  json["losses"] = nlohmann::ordered_json::array();
  for (const InputLoss& loss : report.losses) json["losses"].push_back(to_json(loss));
  json["unlisted_losses"] = report.unlisted_losses;
  json["interrupted"] = report.interrupted;
  return json;
}

std::string summary(const ServeReport& report) {
  const ServeStatus& status = report.status;
  std::string text =
      fmt::format("input      {}: {}\n", status.input, firbank::summary(status.packets));
  if (status.packets.gaps.count > 0) text += loss_line(report);
  if (status.acquisition.engine.spoiled_frames > 0) {
    text += fmt::format("spoiled    {}, by samples that are not finite\n",
                        counted(status.acquisition.engine.spoiled_frames, "frame"));
  }
  if (status.acquisition.events > 0 || status.acquisition.lost_events > 0) {
    text += events_line(status);
  }
  if (status.out_of_range.count > 0) {
    text += fmt::format("left       {} from frame {} on, beyond what can be filtered\n",
                        counted(static_cast<std::uint64_t>(status.out_of_range.frames), "frame"),
                        status.out_of_range.first_frame);
  }
  if (status.left.count > 0) {
    text += fmt::format("left       {} from {} on, as it was to stop\n",
                        counted(static_cast<std::uint64_t>(status.left.frames), "frame"),
                        position(status.left.first_frame, status.sample_rate_hz));
  }
  for (const ServeLineStatus& line : status.outputs) text += output_line(line);
  return text;
}

}  // namespace firbank::program
