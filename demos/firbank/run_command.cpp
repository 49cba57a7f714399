// firbank run: a stream through what a configuration file describes.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/config_choices.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/filter_outcome.hpp"
#include "demos/firbank/live_options.hpp"
#include "demos/firbank/monitor_options.hpp"
#include "demos/firbank/plan_report.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/config/config_banks.hpp"
#include "engine/config/config_file.hpp"
#include "engine/config/fir_design.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  A guitar through a configuration of jconvolver, the tail included:
    firbank run hall.conf --input guitar.wav --output wet.wav
  The same while playing it, changed whenever the file is:
    firbank run hall.conf --watch
  The second preset of a configuration, as 24-bit samples:
    firbank run room.toml --preset cinema --input film.wav --output corrected.wav \
        --output-format int24
  What is in a file, whether all of it is supported, and what it costs, live:
    firbank run eq.txt --check --channels 2

CONFIG is TOML (engine/config/README.md has every key), or what jconvolver, mcfx or
Equalizer APO are configured by. Exit codes are those of 'firbank filter'.)";

struct Arguments {
  std::string config;
  std::string preset;
  bool check = false;
  std::optional<std::size_t> channels;
  std::optional<double> rate_hz;
  std::size_t equaliser_taps = 0;
  std::string equaliser_phase = "minimum";
  EngineOptions engine;
  FilterSettings files;
  LiveOptions live;
  std::string output_format;
  JsonReport json;
  bool quiet = false;
};

void add_options(CLI::App& command, Arguments& arguments) {
  command
      .add_option("CONFIG", arguments.config,
                  "What to do: TOML, or the text that jconvolver, fconvolver, mcfx or\n"
                  "Equalizer APO are configured by")
      ->type_name("")
      ->required();
  command
      .add_option("--input", arguments.files.input,
                  "Audio file or .npy to filter, instead of what CONFIG names")
      ->type_name("FILE");
  command
      .add_option("--output", arguments.files.output,
                  "Audio file, .npy or .raw, instead of what CONFIG names, or '-':\n"
                  "raw samples to standard output; as long as the input and the tail")
      ->type_name("FILE");
  command
      .add_option("--output-format", arguments.output_format,
                  "Samples of the output: float32, float64, int16, int24 or int32;\n"
                  "float32 unless the container cannot hold it")
      ->type_name("FORMAT");
  command.add_option("--preset", arguments.preset, "One of CONFIG's presets (the first)")
      ->type_name("NAME");
  command.add_flag("--check", arguments.check,
                   "Filter nothing: load all of it, fail on lines that are not\n"
                   "supported, and print the plan of a live run");
  command
      .add_option("--channels", arguments.channels,
                  "Channels that Equalizer APO's text is for (those of the input, or 2),\n"
                  "1 to 64")
      ->type_name("N")
      ->check(whole_number(1, 64));
  command
      .add_option("--rate", arguments.rate_hz,
                  "Sample rate for --check without an input (CONFIG's, or 48000), and of\n"
                  "an .npy input")
      ->type_name("HZ")
      ->check(positive_number());
  command
      .add_option("--eq-taps", arguments.equaliser_taps,
                  fmt::format("Taps of Equalizer APO's filters, {} to {}; 0 (default): as many\n"
                              "as are needed for 0.1 dB",
                              kLeastDesignTaps, kMostDesignTaps))
      ->type_name("N")
      ->check(whole_number(0, kMostDesignTaps));
  command
      .add_option("--eq-phase", arguments.equaliser_phase,
                  "Their phase: minimum (default), or linear, which delays by half\n"
                  "their length")
      ->type_name("minimum|linear")
      ->check(one_of({"minimum", "linear"}));
}

std::optional<StreamFormat> format_of_input(const Arguments& arguments) {
  std::error_code ignored;
  const std::string& path = arguments.files.input;
  // A pipe can be read once only, so it is not looked into beforehand.
  if (path.empty() || !std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  return open_input(path, arguments.files.open, arguments.rate_hz)->format();
}

/// What the command line does not say about the engine, the configuration does.
EngineOptions engine_options(const CLI::App& command, const EngineOptions& given,
                             const EngineSettings& settings) {
  EngineOptions options = given;
  const auto unless_given = [&](const char* option, auto& value, const auto& from_config) {
    if (command.count(option) == 0) value = from_config;
  };
  unless_given("--block", options.block_frames, settings.block_frames);
  unless_given("--threads", options.threads, settings.threads);
  unless_given("--precision", options.precision, settings.precision);
  unless_given("--backend", options.backend, settings.backend);
  unless_given("--spectra", options.spectra, settings.spectra);
  return options;
}

/// Loads everything, and tells what a live run would cost.
int check_config(Arguments& arguments, const RunConfig& config, std::size_t preset,
                 double rate_hz) {
  arguments.json.open(filter_files(config));
  ConfigBanksOptions options;
  options.sample_rate_hz = rate_hz;
  options.notice = arguments.files.notice;
  const ConfigBanks banks(config, options);
  for (std::size_t i = 0; i < config.presets.size(); ++i) banks.bank({.preset = i});
  const FilterBank bank = banks.bank({.preset = preset});
  EngineConfig engine = arguments.engine.config(rate_hz, PlanGoal::kLive);
  engine.max_taps = std::max(banks.longest_taps(), config.engine.response_frames);
  const PlanReport report =
      make_plan_report(arguments.engine, engine, bank, banks.routing(), 3, arguments.files.notice);
  nlohmann::ordered_json json = to_json(report);
  json["presets"] = nlohmann::ordered_json::array();
  for (const PresetSpec& one : config.presets) json["presets"].push_back(one.name);
  json["unsupported"] = config.unsupported;
  arguments.json.finish(json);
  if (!arguments.json.takes_standard_output() && !arguments.quiet) {
    std::string names;
    for (const PresetSpec& one : config.presets) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name);
    }
    fmt::print("{:<10} {}\n", "presets", names);
    print_plan(
        report,
        fmt::format("{}: {} in, {} out",
                    describe({bank.size(), bank.shortest(), banks.longest_taps()},
                             fmt::format("preset '{}'", config.presets[preset].name), rate_hz),
                    counted(banks.routing().inputs(), "channel"), banks.routing().outputs()));
  }
  if (config.unsupported.empty()) return kExitDone;
  tell("firbank: {}: {} not supported\n", config.path, counted(config.unsupported.size(), "line"));
  return kExitUsage;
}

int run_on_files(Arguments& arguments, const RunConfig& config, std::size_t preset) {
  if (arguments.live.settings.monitor.port) refuse("--monitor needs devices; this run has files");
  FilterSettings& settings = arguments.files;
  settings.filter_files = filter_files(config);
  refuse_same_file("--output", settings.output, settings.filter_files);
  refuse_same_file("--output", settings.output, {config.path});
  settings.engine = arguments.engine;
  settings.mode = "full";
  settings.progress = !arguments.quiet;
  settings.load_filters = [&](const StreamFormat& input) {
    if (input.channels != config.inputs.size()) {
      refuse(fmt::format("{}: it has {}; {} is for {}", settings.input,
                         counted(input.channels, "channel"), config.path, config.inputs.size()));
    }
    ConfigBanksOptions options;
    options.sample_rate_hz = input.sample_rate_hz;
    options.only_preset = preset;
    options.may_bypass = false;
    options.notice = settings.notice;
    const ConfigBanks banks(config, options);
    return RunFilters{.bank = banks.bank({.preset = preset}),
                      .routing = banks.routing(),
                      .routing_name = fmt::format("preset '{}'", config.presets[preset].name),
                      .response_frames = static_cast<std::int64_t>(config.engine.response_frames)};
  };
  return run_and_tell(settings, arguments.json, {.quiet = arguments.quiet});
}

/// Plays the presets, which are read again when they are to be.
int run_on_devices(const CLI::App& command, Arguments& arguments, const RunConfig& config,
                   const ConfigFileOptions& reading, std::size_t preset) {
  LiveSettings& settings = arguments.live.settings;
  if (arguments.engine.precision != "float") {
    refuse("--precision is double; allowed with devices: float");
  }
  settings.engine = arguments.engine;
  settings.quiet = arguments.quiet;
  arguments.live.finish();
  if (command.count("--crossfade") == 0) {
    settings.crossfade_seconds = config.engine.crossfade_seconds;
  }
  if (settings.input_device.empty()) settings.input_device = config.stream.input_device;
  if (settings.output_device.empty()) settings.output_device = config.stream.output_device;
  if (config.stream.sample_rate_hz > 0) settings.rate_hz = config.stream.sample_rate_hz;
  if (arguments.rate_hz) settings.rate_hz = arguments.rate_hz;
  settings.first_choice = preset;
  settings.load = [&arguments, reading](double rate_hz, std::size_t) {
    const RunConfig now = read_config_file(arguments.config, reading);
    for (const std::string& line : now.unsupported) {
      arguments.live.settings.notice(fmt::format("{}", line));
    }
    return config_choices(now, rate_hz, arguments.live.settings.notice);
  };
  std::vector<std::string> others = filter_files(config);
  others.push_back(config.path);
  if (!settings.record.empty()) {
    refuse_same_file("--record", settings.record, others);
    others.push_back(settings.record);
  }
  arguments.json.open(others);
  return play_and_tell(settings, arguments.json);
}

int run(const CLI::App& command, Arguments& arguments) {
  FilterSettings& files = arguments.files;
  files.rate_hz = arguments.rate_hz;
  files.notice = [quiet = arguments.quiet](const std::string& line) {
    if (!quiet) tell("firbank: note: {}\n", line);
  };
  if (!arguments.output_format.empty()) {
    files.create.encoding = parse_sample_encoding(arguments.output_format);
  }
  if (files.input == "-") refuse("--input '-': a file is needed; 'firbank filter' reads pipes");
  std::optional<StreamFormat> input = format_of_input(arguments);
  const ConfigFileOptions reading{
      .channels = arguments.channels.value_or(input ? input->channels : 2),
      .equaliser_taps = arguments.equaliser_taps,
      .equaliser_phase =
          arguments.equaliser_phase == "linear" ? FilterPhase::kLinear : FilterPhase::kMinimum};
  const RunConfig config = read_config_file(arguments.config, reading);
  const std::size_t preset = arguments.preset.empty() ? 0 : find_preset(config, arguments.preset);
  arguments.engine = engine_options(command, arguments.engine, config.engine);
  if (files.input.empty()) files.input = config.stream.input_file;
  if (files.output.empty()) files.output = config.stream.output_file;
  const bool on_devices = !arguments.check && files.input.empty() && files.output.empty();
  if (on_devices) return run_on_devices(command, arguments, config, reading, preset);
  for (const std::string& line : config.unsupported) tell("firbank: note: {}\n", line);
  if (arguments.check) {
    if (!input) input = format_of_input(arguments);
    double rate_hz = config.stream.sample_rate_hz > 0 ? config.stream.sample_rate_hz : 48'000;
    if (arguments.rate_hz) rate_hz = *arguments.rate_hz;
    if (input) rate_hz = input->sample_rate_hz;
    return check_config(arguments, config, preset, rate_hz);
  }
  if (files.input.empty() || files.output.empty()) {
    refuse(fmt::format("run {}: files need --input and --output; devices need neither",
                       arguments.config));
  }
  return run_on_files(arguments, config, preset);
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("run", "Filter a stream as a configuration file describes it");
  const auto arguments = std::make_shared<Arguments>();
  add_options(*command, *arguments);
  arguments->live.add_devices_to(*command);
  arguments->live.add_playing_to(*command);
  add_monitor_options(*command, arguments->live.settings.monitor);
  arguments->engine.add_to(*command);
  arguments->engine.add_arithmetic_to(*command);
  arguments->engine.add_spectra_to(*command);
  arguments->json.add_to(*command, "a report, or the plan,");
  command->add_flag("-q,--quiet", arguments->quiet, "No summary, no notes, no progress bar");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([command, arguments, &exit_code] { exit_code = run(*command, *arguments); });
}

}  // namespace firbank::program
