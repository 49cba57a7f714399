// ServeStatus: how a run of `firbank serve` stands: what came, what was lost, and what went out.
// Its monitor shows it while it runs, its report when it is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "demos/firbank/serve_latency.hpp"
#include "engine/acquisition/acquisition_stream.hpp"
#include "engine/config/serve_settings.hpp"
#include "io/packet_endpoint.hpp"

namespace firbank::program {

/// Frames of the input that never came.
struct InputLoss {
  std::uint64_t stream = 0;  // from 1 on
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
};

/// A recording that is complete, and what it holds.
struct RecordedFile {
  std::string path;
  std::int64_t first_frame = 0;           // of the output's stream, which is row 0 of the file
  std::int64_t frames = 0;                // in the file, with silence
  std::int64_t dropped_frames = 0;        // of these: silence because the disk was too slow
  std::int64_t first_dropped_frame = -1;  // of the output's stream
};

/// Of one [[serve.output]].
struct ServeLineStatus {
  ServedKind kind = ServedKind::kFiltered;
  std::string to;
  std::int64_t frames = 0;  // or rows
  bool is_file = false;
  SinkStats packets;                // where it is none
  std::vector<RecordedFile> files;  // where it is one: those that are complete
  std::int64_t dropped_frames = 0;  // missing in them, as the disk was too slow
  std::int64_t first_dropped_frame = -1;
  std::string failure;  // empty: it goes on
  LossCount unwritten;  // that came for it after it had failed
};

struct ServeStatus {
  std::string input;
  double sample_rate_hz = 0;
  double seconds = 0;        // since it began
  std::uint64_t stream = 0;  // from 1 on; 0 before the first
  bool has_sender = false;
  double silent_seconds = 0;  // since the newest packet, or the beginning
  /// Of the channels, as the sender has them. Shared, as there may be many and they seldom change.
  std::shared_ptr<const std::vector<std::string>> input_names;
  std::string unit;  // of the samples; empty where nobody tells
  PacketStats packets;
  std::vector<InputLoss> newest_losses;
  std::uint64_t losses = 0;  // how many there were, the newest ones included
  LossCount out_of_range;    // frames that came and have no number for the engine
  LossCount left;  // frames that came and were not filtered, as there was no time after the stop
  AcquisitionStats acquisition;
  std::string backend;
  std::int64_t delay_frames = 0;  // of the first output, which events are free of
  ServeLatency::Reading latency;
  ServeLatency::Reading recent_latency;   // of about a second
  std::vector<std::size_t> bad_channels;  // of the input, from 0 on
  std::vector<ServeLineStatus> outputs;
};

/// "raw", "filtered" or "events".
const char* name_of(ServedKind kind);

}  // namespace firbank::program
