// LiveSettings: what a live run was asked for.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/engine_options.hpp"
#include "demos/firbank/monitor/monitor_settings.hpp"

namespace firbank::program {

struct LiveChoices;

struct LiveSettings {
  BankOptions bank;  // of `firbank live`: each file is a choice of its own
  /// Reads what is to be heard, again and again; see load_choices().
  std::function<LiveChoices(double sample_rate_hz, std::size_t input_channels)> load;
  std::size_t first_choice = 0;
  bool watch = false;        // read again when a file changes
  std::size_t max_taps = 0;  // room for later filters; 0: for those of the first reading
  EngineOptions engine;
  std::string input_device;  // empty: the default one
  std::string output_device;
  std::optional<std::size_t> channels;  // of the input
  std::vector<std::size_t> input_map;   // device channels, from 0 on; empty: the first ones
  std::vector<std::size_t> output_map;
  std::optional<double> rate_hz;        // unless given, the output device's
  std::size_t device_block_frames = 0;  // 0: whatever the device brings
  double latency_seconds = 0;           // 0: the device's low one
  double gain_db = 0;
  bool limiter = false;
  bool bypass = false;
  double crossfade_seconds = 0.05;
  double max_peak_db = 6;  // of a filter, before a note warns
  bool normalize = false;  // filters to a peak of 0 dB
  std::string record;      // a file, or empty
  MonitorSettings monitor;
  std::optional<double> seconds;
  bool keys = false;          // from a standard input that is no terminal
  bool quiet = false;         // no screen, no notes
  bool stdout_taken = false;  // by the report: nothing else goes there
  std::function<void(const std::string&)> notice;
};

}  // namespace firbank::program
