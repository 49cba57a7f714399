#include "demos/firbank/serve_json.hpp"

namespace firbank::program {
namespace {

constexpr double kMs = 1e-6;

nlohmann::ordered_json to_json(const LossCount& loss) {
  return {{"count", loss.count}, {"frames", loss.frames}, {"first_frame", loss.first_frame}};
}

nlohmann::ordered_json input_json(const ServeStatus& status) {
  const PacketStats& packets = status.packets;
  return {{"from", status.input},
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
          {"out_of_range", to_json(status.out_of_range)},
          {"left_at_the_end", to_json(status.left)},
          {"broken_senders", packets.broken},
          {"refused_senders", packets.refused},
          {"last_error", packets.last_error}};
}

nlohmann::ordered_json to_json(const RecordedFile& file) {
  return {{"name", file.path},
          {"first_frame", file.first_frame},
          {"frames", file.frames},
          {"dropped_frames", file.dropped_frames},
          {"first_dropped_frame", file.first_dropped_frame}};
}

nlohmann::ordered_json output_json(const ServeLineStatus& line) {
  nlohmann::ordered_json json;
  json["kind"] = name_of(line.kind);
  json["to"] = line.to;
  json["frames"] = line.frames;
  if (line.is_file) {
    json["files"] = nlohmann::ordered_json::array();
    for (const RecordedFile& file : line.files) json["files"].push_back(to_json(file));
    json["dropped_frames"] = line.dropped_frames;
    json["first_dropped_frame"] = line.first_dropped_frame;
  } else {
    json["packets"] = line.packets.packets;
    json["receivers"] = line.packets.received_by;
    json["receivers_now"] = line.packets.receivers;
    json["dropped_receivers"] = line.packets.dropped.count;
    json["dropped_receiver_frames"] = line.packets.dropped.frames;
    json["first_dropped_receiver_frame"] = line.packets.dropped.first_frame;
  }
  if (!line.failure.empty()) {
    json["failure"] = line.failure;
    json["unwritten_frames"] = line.unwritten.frames;
    json["first_unwritten_frame"] = line.unwritten.first_frame;
  }
  return json;
}

}  // namespace

const char* name_of(ServedKind kind) {
  return kind == ServedKind::kRaw ? "raw" : kind == ServedKind::kFiltered ? "filtered" : "events";
}

nlohmann::ordered_json to_json(const InputLoss& loss) {
  return {{"stream", loss.stream}, {"first_frame", loss.first_frame}, {"frames", loss.frames}};
}

nlohmann::ordered_json to_json(const ServeLatency::Reading& latency) {
  return {{"events", latency.events},
          {"median", kMs * static_cast<double>(latency.median_ns)},
          {"p99", kMs * static_cast<double>(latency.p99_ns)},
          {"max", kMs * static_cast<double>(latency.max_ns)}};
}

nlohmann::ordered_json to_json(const ServeStatus& status) {
  nlohmann::ordered_json json;
  json["input"] = input_json(status);
  const Stats& engine = status.acquisition.engine;
  json["engine"] = {{"backend", status.backend},
                    {"frames", engine.frames},
                    {"gaps", engine.gaps},
                    {"gap_frames", engine.gap_frames},
                    {"spoiled_frames", engine.spoiled_frames},
                    {"lost_frames", engine.lost_frames}};
  json["events"] = {{"found", status.acquisition.events},
                    {"lost", status.acquisition.lost_events},
                    {"first_lost_frame", status.acquisition.lost_events > 0
                                             ? status.acquisition.first_lost_event_frame
                                             : std::int64_t{-1}},
                    {"unsound_frames", status.acquisition.unsound_frames},
                    {"delay_frames", status.delay_frames}};
  json["latency_ms"] = to_json(status.latency);
  json["outputs"] = nlohmann::ordered_json::array();
  for (const ServeLineStatus& line : status.outputs) json["outputs"].push_back(output_json(line));
  json["seconds"] = status.seconds;
  return json;
}

}  // namespace firbank::program
