// LiveReport: what a live run was and what became of it, in a line or as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/live_session.hpp"

namespace firbank::program {

struct LiveReport {
  std::string input_device;
  std::string output_device;
  std::vector<std::string> filters;  // names of the choices
  double sample_rate_hz = 0;
  std::size_t channels_in = 0;
  std::size_t channels_out = 0;
  std::string backend;
  std::string plan;
  std::size_t latency_frames = 0;           // of the filters
  std::size_t device_block_frames = 0;      // of the newest block
  double device_input_latency_seconds = 0;  // as the device tells
  double device_output_latency_seconds = 0;
  double seconds = 0;
  LiveStatus status;
  std::vector<LevelReading> inputs;
  std::vector<LevelReading> outputs;
  std::vector<LiveEvent> events;
  std::string record;  // the file, or empty
  std::int64_t record_dropped_frames = 0;
  std::int64_t first_record_dropped_frame = -1;
  bool interrupted = false;
};

/// One line: how long, how loud, how loaded, and what went wrong.
std::string summary(const LiveReport& report);

/// " (2 as the call came late, 1 in the device itself)": which stages the xruns are laid to; empty
/// without any.
std::string xrun_stages(const LiveStatus& status);

/// One line on samples that were lost, clipped or silenced; empty when there were none.
std::string losses(const LiveReport& report);

/// "0 frames in the filters, 64 frames a block (1.33 ms); the device tells of 8.7 ms in, 8.7 ms
/// out". What a device tells is left out when it cannot be so.
std::string latency(const LiveReport& report);

nlohmann::ordered_json to_json(const LiveReport& report);

}  // namespace firbank::program
