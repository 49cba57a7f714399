// firbank bench loopback: how long sound takes out of a card and back into it, measured.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/bench/loopback/loopback_player.hpp"
#include "demos/firbank/bench/loopback/loopback_report.hpp"
#include "demos/firbank/bench/loopback/loopback_table.hpp"
#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "demos/firbank/bench/report/report_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/live_card.hpp"
#include "demos/firbank/live_devices.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples =
    R"(It MAKES A NOISE for some seconds: a hiss as loud as --level says. Turn down what
is connected to the output, and take headphones off. It fades in and out.

A cable from output to input measures the card and its driver; a loudspeaker and a
microphone measure the air as well, 2.9 ms a metre.

Examples:
  firbank bench loopback                          channel 1 of the default devices
  firbank bench loopback --input-device USB --output-device USB --block 64
  firbank bench loopback --output-channel 3 --input-channel 2 --json loopback.json
  firbank bench loopback --delay 37.25            must be 37.25 frames more than without

Exit codes: 0 done; 2 bad usage, or a name, rate or channel that the device does not
have; 3 no device can be opened, or it went away; 4 no delay can be named, or not one
to rely on, and one line says why; 130 stopped by Ctrl-C.)";

struct Arguments {
  LiveSettings devices;  // no more of it than devices, rate, block and latency
  std::size_t input_channel = 1;
  std::size_t output_channel = 1;
  double latency_ms = 0;
  LoopbackSetting setting;
  bool quiet = false;
  ReportOptions report;
};

void fade_out(LoopbackPlayer& player) {
  player.stop();
  for (int n = 0; n < 20 && !player.is_done(); ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// Plays and records it all. False when it was stopped. Throws: Error.
bool play(LiveCard& card, LoopbackPlayer& player, std::size_t total_frames, bool show_progress) {
  ProgressBar progress(static_cast<std::int64_t>(total_frames), "listening", show_progress);
  card.open();
  while (!player.is_done()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    progress.update(static_cast<std::int64_t>(player.position()));
    if (interrupt_requested()) {
      fade_out(player);
      return false;
    }
    if (card.is_lost()) {
      throw Error(ErrorKind::kInput, "the device went away while it was measured");
    }
  }
  return true;
}

/// Nothing when it was stopped. Throws: Error.
std::optional<LoopbackRun> measure(const Arguments& arguments) {
  const LiveDevices devices = choose_devices(arguments.devices);
  LoopbackRun run;
  run.setting = arguments.setting;
  run.setting.sample_rate_hz = devices.rate_hz;
  run.input_device = devices.input.full_name();
  run.output_device = devices.output.full_name();
  run.input_channel = arguments.input_channel - 1;
  run.output_channel = arguments.output_channel - 1;

  const LoopbackTimeline timeline(run.setting);
  LoopbackPlayer player(loopback_signal(run.setting), timeline.fade_frames);
  if (!arguments.quiet) {
    tell("firbank: note: noise at {} dBFS for {} on '{}'\n", run.setting.level_dbfs,
         duration(static_cast<double>(timeline.periods * timeline.sequence_frames) /
                  devices.rate_hz),
         printable(run.output_device));
  }
  LiveCard card(arguments.devices, devices, 1, 1, player);
  if (!play(card, player, timeline.total_frames, !arguments.quiet)) return std::nullopt;
  run.input_latency_s = usable_latency(card.input_latency_seconds());
  run.output_latency_s = usable_latency(card.output_latency_seconds());
  card.close();

  run.block_frames = player.longest_call_frames();
  run.glitches = player.glitches().size();
  // A glitch is told with the call after it, of a device that may hold a block or two itself.
  run.estimate =
      estimate_delay(run.setting, player.recording(), player.glitches(), 3 * run.block_frames);
  return run;
}

int run_command(Arguments& arguments) {
  arguments.devices.input_map = {arguments.input_channel - 1};
  arguments.devices.output_map = {arguments.output_channel - 1};
  arguments.devices.latency_seconds = arguments.latency_ms / 1000;
  arguments.report.open({});
  install_interrupt_handlers(2);
  const std::optional<LoopbackRun> run = measure(arguments);
  if (!run) return kExitInterrupted;

  arguments.report.finish(loopback_report(*run));
  const bool printing = !arguments.quiet && !arguments.report.takes_standard_output();
  if (printing && run->estimate.round_trip) fmt::print("{}", loopback_table(*run));
  const LoopbackVerdict verdict = loopback_verdict(*run);
  for (const std::string& reason : verdict.reasons) {
    if (!verdict.usable) {
      tell("firbank: {}: {}\n", run->estimate.round_trip ? "not to be relied on" : "no round trip",
           reason);
    } else if (!arguments.quiet) {
      tell("firbank: note: {}\n", reason);
    }
  }
  return verdict.usable ? kExitDone : kExitLoss;
}

void add_device_options(CLI::App& command, Arguments& arguments) {
  LiveSettings& devices = arguments.devices;
  command
      .add_option("--input-device", devices.input_device,
                  "Number, name or a part of it, as 'firbank devices' lists them;\n"
                  "unless given, the default one")
      ->type_name("NAME");
  command.add_option("--output-device", devices.output_device, "The same for the output")
      ->type_name("NAME");
  command
      .add_option("--input-channel", arguments.input_channel,
                  "Channel of the input device, from 1 on (1)")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command
      .add_option("--output-channel", arguments.output_channel,
                  "Channel of the output device, from 1 on (1)")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command.add_option("--rate", devices.rate_hz, "Sample rate; unless given, the output device's")
      ->type_name("HZ")
      ->check(number(1'000, 1'000'000));
  command
      .add_option("--block", devices.device_block_frames,
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

void add_signal_options(CLI::App& command, LoopbackSetting& setting) {
  command
      .add_option("--level", setting.level_dbfs,
                  "Level of the noise in dBFS, -80 to -3 (-20): soft enough for ears and\n"
                  "loudspeakers, and the correlation hears it far below other noise")
      ->type_name("DB")
      ->check(number(-80, -3));
  command
      .add_option("--order", setting.sequence_order,
                  "Of the sequence, 10 to 18 (15): it has 2^N - 1 frames. Each more\n"
                  "stands 3 dB further out of the noise and takes twice as long")
      ->type_name("N")
      ->check(whole_number(kLeastSequenceOrder, kMostSequenceOrder));
  command
      .add_option("--repeats", setting.repeats,
                  "Times that the sequence is measured, 1 to 100 (10), after one to warm up")
      ->type_name("N")
      ->check(whole_number(1, 100));
  command
      .add_option("--delay", setting.extra_delay_frames,
                  "Frames, and parts of one, by which to delay what is played, 0 to 8192\n"
                  "(0): the round trip must grow by as much, which proves the measurement")
      ->type_name("FRAMES")
      ->check(number(0, static_cast<double>(kMostExtraDelayFrames)));
}

}  // namespace

void add_loopback_bench(CLI::App& bench, int& exit_code) {
  CLI::App* const command = bench.add_subcommand(
      "loopback", "Measure a sound card's round trip, out and in again; makes a noise");
  const auto arguments = std::make_shared<Arguments>();
  add_device_options(*command, *arguments);
  add_signal_options(*command, arguments->setting);
  arguments->report.add_to(*command, "a report");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, no notes, no progress bar");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run_command(*arguments); });
}

}  // namespace firbank::program
