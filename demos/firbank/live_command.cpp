#include <charconv>
#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/live_report.hpp"
#include "demos/firbank/live_run.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Keys in a terminal:
  b  bypass on and off          n p 1-9  next, previous, first to ninth filter
  + -  gain up and down, 1 dB   l  limiter on and off        q  quit

Examples:
  firbank live --filter hall.wav                     play through a hall
  firbank live --filter hall.wav --filter church.wav --block 64 --limiter
  firbank live --filter room.wav --input-device USB --input-channels 3,4 --record take.wav
  firbank live --filter eq.txt --channels 2 --seconds 10 --json report.json

Exit codes: 0 done; 2 bad usage or configuration, or a name, rate or number of
channels that the device does not have; 3 no device can be opened, or a file
cannot be read or written; 4 samples were lost or clipped; 130 stopped by Ctrl-C.)";

struct Arguments {
  LiveSettings settings;
  std::string input_channels;
  std::string output_channels;
  double crossfade_ms = 50;
  double latency_ms = 0;
  JsonReport json;
};

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

void add_device_options(CLI::App& command, Arguments& arguments) {
  LiveSettings& settings = arguments.settings;
  command
      .add_option("--input-device", settings.input_device,
                  "Number, name or a part of it, as 'firbank devices' lists them;\n"
                  "unless given, the default one")
      ->type_name("NAME");
  command.add_option("--output-device", settings.output_device, "The same for the output")
      ->type_name("NAME");
  command
      .add_option("--channels", settings.channels,
                  "Input channels; unless given, as many as the filters fit")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command
      .add_option("--input-channels", arguments.input_channels,
                  "Which channels of the input device, such as 3,4; the first ones\n"
                  "unless given")
      ->type_name("N,N...");
  command
      .add_option("--output-channels", arguments.output_channels, "The same for the output device")
      ->type_name("N,N...");
  command.add_option("--rate", settings.rate_hz, "Sample rate; unless given, the output device's")
      ->type_name("HZ")
      ->check(positive_number());
  command
      .add_option("--device-block", settings.device_block_frames,
                  "Frames a block of the device, 0 to 65536; 0, the default, takes what\n"
                  "the device brings and adds no buffer")
      ->type_name("N")
      ->check(whole_number(0, 65'536));
  command
      .add_option("--latency", arguments.latency_ms,
                  "Milliseconds to ask the device for, each way; its low ones unless given")
      ->type_name("MS")
      ->check(number(0, 10'000));
}

void add_play_options(CLI::App& command, Arguments& arguments) {
  LiveSettings& settings = arguments.settings;
  command.add_option("--gain", settings.gain_db, "Gain in dB, -120 to 60 (0)")
      ->type_name("DB")
      ->check(number(-120, 60));
  command.add_flag("--limiter", settings.limiter, "Keep the output within full scale");
  command.add_flag("--bypass", settings.bypass, "Begin bypassed");
  command
      .add_option("--crossfade", arguments.crossfade_ms,
                  "Milliseconds from one filter to the next (50)")
      ->type_name("MS")
      ->check(number(0, 60'000));
  command
      .add_option("--max-peak", settings.max_peak_db,
                  "Warn of filters that raise any frequency by more, in dB (6)")
      ->type_name("DB")
      ->check(number(-200, 200));
  command.add_flag("--normalize", settings.normalize,
                   "Scale each filter file so that it raises no frequency");
  command
      .add_option("--record", settings.record,
                  "Write input and output side by side, the inputs first")
      ->type_name("FILE");
  command.add_option("--seconds", settings.seconds, "End after so long")
      ->type_name("S")
      ->check(positive_number());
  command.add_flag("--keys", settings.keys,
                   "Take keys from standard input though it is no terminal");
  arguments.json.add_to(command, "a report");
  command.add_flag("-q,--quiet", settings.quiet, "No screen, no notes and no summary");
}

void finish_settings(Arguments& arguments) {
  LiveSettings& settings = arguments.settings;
  settings.bank.check();
  if (!arguments.input_channels.empty()) {
    settings.input_map = parse_map("--input-channels", arguments.input_channels);
  }
  if (!arguments.output_channels.empty()) {
    settings.output_map = parse_map("--output-channels", arguments.output_channels);
  }
  settings.crossfade_seconds = arguments.crossfade_ms / 1000;
  settings.latency_seconds = arguments.latency_ms / 1000;
  if (settings.record == "-") refuse("--record '-' is not allowed; a file is needed");
  if (!settings.record.empty()) {
    refuse_same_file("--record", settings.record, settings.bank.files);
  }
  settings.notice = [quiet = settings.quiet](const std::string& line) {
    if (!quiet) tell("firbank: note: {}\n", line);
  };
}

int run(Arguments& arguments) {
  finish_settings(arguments);
  const LiveSettings& settings = arguments.settings;
  std::vector<std::string> others = settings.bank.files;
  if (!settings.record.empty()) others.push_back(settings.record);
  arguments.json.open(others);

  arguments.settings.stdout_taken = arguments.json.takes_standard_output();
  install_interrupt_handlers(2);
  const LiveReport report = run_live(settings);

  arguments.json.finish(to_json(report));
  if (!settings.quiet) {
    fmt::print(settings.stdout_taken ? stderr : stdout, "{}\n", summary(report));
  }
  const std::string lost = losses(report);
  if (!lost.empty()) tell("firbank: {}\n", lost);
  if (report.interrupted) return kExitInterrupted;
  return lost.empty() ? kExitDone : kExitLoss;
}

}  // namespace

void add_live_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("live", "Play a sound card through filters, with keys and meters");
  const auto arguments = std::make_shared<Arguments>();
  arguments->settings.bank.add_to(*command, true);
  command->get_option("--filter")
      ->description(
          "File with filters: audio or .npy (each channel is one filter), or\n"
          "text with one number a line. Given again: another one to choose");
  add_device_options(*command, *arguments);
  arguments->settings.engine.add_to(*command);
  arguments->settings.engine.add_backend_to(*command);
  arguments->settings.engine.add_spectra_to(*command);
  arguments->settings.engine.add_depth_to(*command);
  add_play_options(*command, *arguments);
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
