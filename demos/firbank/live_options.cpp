#include "demos/firbank/live_options.hpp"

#include <charconv>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/live_report.hpp"
#include "demos/firbank/live_run.hpp"

namespace firbank::program {
namespace {

/// "3,4" as channels from 0 on. Throws: Error.
std::vector<std::size_t> parse_map(std::string_view option, std::string_view text) {
  std::vector<std::size_t> map;
  for (const char* at = text.data(); at < text.data() + text.size();) {
    std::size_t channel = 0;
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), channel);
    const bool complete = end == text.data() + text.size();
    if (error != std::errc{} || channel < 1 || (!complete && *end != ',')) break;
    map.push_back(channel - 1);
    if (complete) return map;
    at = end + 1;
  }
  refuse(fmt::format(
      "{} '{}' is not allowed; channels from 1 on with commas between them, such as 1,2, are",
      option, text));
}

}  // namespace

void LiveOptions::add_devices_to(CLI::App& command) {
  command
      .add_option("--input-device", settings.input_device,
                  "Number, name or a part of it, as 'firbank devices' lists them;\n"
                  "unless given, the default one")
      ->type_name("NAME");
  command.add_option("--output-device", settings.output_device, "The same for the output")
      ->type_name("NAME");
  command
      .add_option("--input-channels", input_channels,
                  "Which channels of the input device, such as 3,4; the first ones\n"
                  "unless given")
      ->type_name("N,N...");
  command.add_option("--output-channels", output_channels, "The same for the output device")
      ->type_name("N,N...");
  command
      .add_option("--device-block", settings.device_block_frames,
                  "Frames a block of the device, 0 to 65536; 0, the default, takes what\n"
                  "the device brings and adds no buffer")
      ->type_name("N")
      ->check(whole_number(0, 65'536));
  command
      .add_option("--latency", latency_ms,
                  "Milliseconds to ask the device for, each way; its low ones unless given")
      ->type_name("MS")
      ->check(number(0, 10'000));
}

void LiveOptions::add_playing_to(CLI::App& command) {
  command.add_option("--gain", settings.gain_db, "Gain in dB, -120 to 60 (0)")
      ->type_name("DB")
      ->check(number(-120, 60));
  command.add_flag("--limiter", settings.limiter, "Keep the output within full scale");
  command.add_flag("--bypass", settings.bypass, "Begin bypassed");
  command.add_option("--crossfade", crossfade_ms, "Milliseconds from one filter to the next (50)")
      ->type_name("MS")
      ->check(number(0, 60'000));
  command
      .add_option("--max-taps", settings.max_taps,
                  "Room for filters of so many taps, when files are read again (as many\n"
                  "as the longest has)")
      ->type_name("N")
      ->check(whole_number(1, 268'435'456));
  command.add_flag("--watch", watch,
                   "Read the files again when one changes, as SIGHUP has them read");
  command
      .add_option("--record", settings.record,
                  "Write input and output side by side, the inputs first")
      ->type_name("FILE");
  command.add_option("--seconds", settings.seconds, "End after so long")
      ->type_name("S")
      ->check(positive_number());
  command.add_flag("--keys", settings.keys,
                   "Take keys from standard input though it is no terminal");
}

void LiveOptions::finish() {
  settings.monitor.check();
  if (!input_channels.empty()) {
    settings.input_map = parse_map("--input-channels", input_channels);
  }
  if (!output_channels.empty()) {
    settings.output_map = parse_map("--output-channels", output_channels);
  }
  settings.crossfade_seconds = crossfade_ms / 1000;
  settings.latency_seconds = latency_ms / 1000;
  settings.watch = watch;
  if (settings.record == "-") refuse("--record '-' is not allowed; a file is needed");
  settings.notice = [quiet = settings.quiet](const std::string& line) {
    if (!quiet) tell("firbank: note: {}\n", line);
  };
}

int play_and_tell(LiveSettings& settings, JsonReport& json) {
  settings.stdout_taken = json.takes_standard_output();
  install_interrupt_handlers(2);
  take_hangups_as_reloads();
  const LiveReport report = run_live(settings);

  json.finish(to_json(report));
  if (!settings.quiet) {
    fmt::print(settings.stdout_taken ? stderr : stdout, "{}\n", summary(report));
  }
  const std::string lost = losses(report);
  if (!lost.empty()) tell("firbank: {}\n", lost);
  if (report.interrupted) return kExitInterrupted;
  return lost.empty() ? kExitDone : kExitLoss;
}

}  // namespace firbank::program
