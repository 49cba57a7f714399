// firbank serve: a daemon that filters packets of other programs, as a configuration has it.
#include <memory>
#include <string>

#include <fmt/format.h>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/config_choices.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/monitor_options.hpp"
#include "demos/firbank/serve_run.hpp"
#include "engine/config/config_file.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  Packets that programs send over TCP, filtered as probe.toml has it, until Ctrl-C:
    firbank serve probe.toml
  One stream through a pipe, and what was lost on its way:
    acquire | firbank serve pipe.toml --json report.json | analyse
  With a page: traces, events, losses and latency while it runs:
    firbank serve probe.toml --monitor 8080

CONFIG is TOML with a table [serve]. In share/doc/firbank, configurations.md has every key
and packets.md the packets, and firbank-serve.service is a unit for systemd.
Exit codes: 0 done; 2 bad usage or configuration; 3 an output failed, or no stream was
understood; 130 stopped by a signal; 4 frames were lost or spoiled, came twice or too late,
or a sender or receiver was let go of. The first of 3, 130 and 4 that is true counts.)";

struct Arguments {
  std::string config;
  std::string preset;
  EngineOptions engine;
  MonitorSettings monitor;
  JsonReport json;
  bool quiet = false;
};

/// Where the configuration sends samples of its own accord.
bool uses_standard_output(const ServeSettings& serve) {
  for (const ServeOutput& output : serve.outputs) {
    if (output.to.kind == PacketWay::Kind::kStandardStream) return true;
  }
  return false;
}

void check(const Arguments& arguments, const RunConfig& config) {
  if (!config.serve) {
    refuse(fmt::format("{}: the table [serve] is missing; its key input is needed", config.path));
  }
  if (config.stream.sample_rate_hz <= 0) {
    refuse(fmt::format("{}: the key rate of [stream] is missing; 'firbank serve' needs it",
                       config.path));
  }
  if (config.engine.precision != "float") {
    refuse(fmt::format("{}: precision of [engine] is '{}'; 'firbank serve' allows: float",
                       config.path, config.engine.precision));
  }
  std::vector<std::string> others = filter_files(config);
  others.push_back(config.path);
  bool has_standard_output = arguments.json.takes_standard_output();
  for (const ServeOutput& output : config.serve->outputs) {
    if (output.to.kind == PacketWay::Kind::kFile) {
      refuse_same_file(output.to.place, output.to.name, others);
      others.push_back(output.to.name);
    }
    if (output.to.kind != PacketWay::Kind::kStandardStream) continue;
    if (has_standard_output) {
      refuse(fmt::format("{}: standard output is taken already; one output may have it",
                         output.to.place));
    }
    has_standard_output = true;
  }
}

int run(Arguments& arguments) {
  ServeRunSettings settings;
  settings.quiet = arguments.quiet;
  arguments.monitor.check();
  settings.monitor = arguments.monitor;
  settings.notice = [quiet = arguments.quiet](const std::string& line) {
    if (!quiet) tell("firbank: note: {}\n", line);
  };
  settings.config = read_config_file(arguments.config);
  const RunConfig& config = settings.config;
  check(arguments, config);
  settings.preset = arguments.preset.empty() ? 0 : find_preset(config, arguments.preset);
  settings.engine = arguments.engine;
  settings.engine.block_frames = config.engine.block_frames;
  settings.engine.threads = config.engine.threads;
  settings.engine.backend = config.engine.backend;
  settings.engine.spectra = config.engine.spectra;
  std::vector<std::string> others = filter_files(config);
  others.push_back(config.path);
  for (const ServeOutput& output : config.serve->outputs) {
    if (output.to.kind == PacketWay::Kind::kFile) others.push_back(output.to.name);
  }
  arguments.json.open(others);

  install_interrupt_handlers(2);
  watch_standard_streams(config.serve->input.kind == PacketWay::Kind::kStandardStream,
                         uses_standard_output(*config.serve));
  const ServeReport report = run_serve(settings);
  arguments.json.finish(to_json(report));
  if (!arguments.quiet) tell("{}", summary(report));
  if (report.understood_nothing()) {
    tell("firbank: {}: there was no stream of packets\n", report.status.input);
    return kExitFile;
  }
  if (report.has_output_failure()) return kExitFile;
  if (report.interrupted) return kExitInterrupted;
  return report.has_losses() ? kExitLoss : kExitDone;
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("serve", "Filter packets of other programs, until told to stop");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("CONFIG", arguments->config, "What to do: TOML with a table [serve]")
      ->type_name("")
      ->required();
  command->add_option("--preset", arguments->preset, "One of CONFIG's presets (the first)")
      ->type_name("NAME");
  add_monitor_options(*command, arguments->monitor);
  arguments->json.add_to(*command, "a report of what came and what was lost,");
  command->add_flag("-q,--quiet", arguments->quiet, "No summary, no notes, not when it is ready");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
