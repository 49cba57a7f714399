// LiveOptions: how a live run plays, as the command line says it. What `firbank live` and `firbank
// run` have in common.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "demos/firbank/json_report.hpp"
#include "demos/firbank/live_settings.hpp"

namespace firbank::program {

struct LiveOptions {
  LiveSettings settings;
  std::string input_channels;
  std::string output_channels;
  double crossfade_ms = 50;
  double latency_ms = 0;
  bool watch = false;

  /// Adds --input-device, --output-device, --input-channels, --output-channels, --device-block and
  /// --latency.
  void add_devices_to(CLI::App& command);

  /// Adds --gain, --limiter, --bypass, --crossfade, --max-taps, --watch, --record, --seconds and
  /// --keys.
  void add_playing_to(CLI::App& command);

  /// Completes the settings. Throws: Error (kConfiguration) when a value is not allowed.
  void finish();
};

/// Plays, and tells what came of it. Returns the exit code. Throws: Error, when it cannot begin.
int play_and_tell(LiveSettings& settings, JsonReport& json);

}  // namespace firbank::program
