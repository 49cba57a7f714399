// ServeReport: what `firbank serve` tells when it stops; for people and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/acquisition/acquisition_stream.hpp"
#include "engine/stats.hpp"
#include "io/packet_endpoint.hpp"

namespace firbank::program {

/// Frames of the input that never came.
struct InputLoss {
  std::uint64_t stream = 0;  // from 1 on
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
};

struct ServeReport {
  /// So many losses are listed; all are counted.
  static constexpr std::size_t kMostLosses = 1'000'000;

  std::string input;
  double sample_rate_hz = 0;
  PacketStats packets;
  std::vector<InputLoss> losses;
  std::uint64_t unlisted_losses = 0;
  AcquisitionStats acquisition;
  std::string backend;
  std::int64_t delay_frames = 0;  // of the first output, which events are free of
  DurationHistogram latency_ns;   // from the arrival of a packet to the delivery of its events
  std::vector<nlohmann::ordered_json> outputs;
  LossCount out_of_range;  // frames that came and have no number for the engine
  LossCount left;  // frames that came and were not filtered, as there was no time after the stop
  bool has_output_failure = false;
  std::int64_t dropped_frames = 0;      // of recordings
  std::uint64_t dropped_receivers = 0;  // that stalled
  double seconds = 0;
  bool interrupted = false;

  /// Whether the input ended without one stream that was understood.
  bool understood_nothing() const { return packets.streams == 0 && !interrupted; }

  /// Whether anything was lost or spoiled on the way, or anybody let go of.
  bool has_losses() const;
};

nlohmann::ordered_json to_json(const ServeReport& report);

/// A few lines for people.
std::string summary(const ServeReport& report);

}  // namespace firbank::program
