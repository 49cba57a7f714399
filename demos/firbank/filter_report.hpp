// FilterReport: what a run of `firbank filter` did, for people and as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/cost_options.hpp"
#include "demos/firbank/stream_pass.hpp"
#include "engine/partition_plan.hpp"
#include "io/endpoint.hpp"

namespace firbank::program {

struct FilterReport {
  std::string input;
  std::string input_encoding;
  std::string output;
  std::string output_encoding;  // empty when there is no output
  std::vector<std::string> filter_files;
  std::string filters;  // for people: "2 filters of 48000 taps (1 s), rows"
  std::size_t filter_count = 0;
  std::size_t longest_taps = 0;
  std::size_t shortest_taps = 0;
  std::string routing;
  std::string mode;
  std::string precision;
  Pace pace = Pace::kOffline;

  double sample_rate_hz = 0;
  std::size_t channels_in = 0;
  std::size_t channels_out = 0;
  std::size_t block_frames = 0;  // frames a call
  std::size_t latency_frames = 0;
  std::string backend;
  std::string instruction_set;
  std::size_t threads = 1;
  PartitionPlan plan;   // in the hybrid mode, of the heads
  bool hybrid = false;  // a GPU had the tails of the filters
  ChosenCosts costs;    // by which it was chosen

  double gain_db = 0;           // what was applied, --normalize included
  double start_up_seconds = 0;  // until the engine and the files were ready
  double cpu_seconds = 0;       // of the whole process, after start-up
  double wall_seconds = 0;      // after start-up
  PassResult pass;
  double peak = 0;  // of the finite output samples
  ClipCount clipped;
  std::int64_t spoiled_frames = 0;
  std::int64_t first_spoiled_frame = -1;
  std::int64_t lost_frames = 0;  // silent, as the backend failed
  std::int64_t first_lost_frame = -1;
  std::int64_t late_frames = 0;  // without the filters' tail
  std::int64_t first_late_frame = -1;
  std::int64_t truncated_frames = 0;  // with filters cut to truncated_taps
  std::size_t truncated_taps = 0;
  std::string failure;
  std::int64_t fail_over_frame = -1;  // from which another backend answers in a lost device's place
  std::string last_backend;           // which one, or the only one
  std::size_t incomplete_frame_bytes = 0;  // dropped at the input's end

  double stream_seconds() const;
  double times_realtime() const;  // stream seconds over CPU seconds
  double deadline_seconds() const;
  std::size_t plan_bytes() const;

  /// Whether an output was kept: an interrupted run without a frame has none.
  bool has_output() const { return pass.frames_out > 0; }
};

/// `precision` is "float" or "double".
nlohmann::ordered_json to_json(const PartitionPlan& plan, const std::string& precision);
nlohmann::ordered_json to_json(const FilterReport& report);

/// A few lines, each with a title.
std::string summary(const FilterReport& report);

/// That a device was lost without a sample, in one line without a line end; empty when none was.
std::string fail_over(const FilterReport& report);

/// What was lost, in one line without a line end; empty when nothing was. Deadline misses count
/// when `strict`.
std::string losses(const FilterReport& report, bool strict);

}  // namespace firbank::program
