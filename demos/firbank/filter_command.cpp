#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/filter_outcome.hpp"
#include "demos/firbank/filter_run.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  A voice in a hall; the output is as long as the input:
    firbank filter voice.wav wet.wav --filter hall.wav
  The whole tail, loudest sample at -1 dB of full scale, 24-bit:
    firbank filter voice.wav wet.flac --filter hall.wav --mode full \
        --normalize --gain -1 --output-format int24
  A measured table of 1000 Hz data, each column through its own row of filters:
    firbank filter data.npy out.npy --rate 1000 --filter low.npy --precision double
  Two ears from five loudspeakers: ten responses, summed over the inputs:
    firbank filter film.wav ears.wav --routing matrix --outputs 2 --filter room.wav
  Eight channels of 16-bit data as they are acquired, 1000 frames a second:
    acquire | firbank filter - out.npy --raw-format s16le:8:1000 --filter low.txt
  In a pipe, in blocks of 64 frames as a live run would use:
    sox in.flac -t f32 - | firbank filter - - --raw-format f32le:2:44100 \
        --filter eq.txt --as-live --block 64 | aplay -f FLOAT_LE -c 2 -r 44100

Exit codes: 0 done; 2 bad usage or configuration; 3 an input cannot be read or an
output written; 4 samples were lost, spoiled or clipped (the output is kept);
130 stopped by Ctrl-C (the output ends at the frames done so far).)";

struct Arguments {
  FilterSettings settings;
  BankOptions bank;
  std::string raw_format;
  std::string output_format;
  bool as_live = false;
  bool realtime = false;
  JsonReport json;
  bool quiet = false;
  bool strict = false;
};

void add_stream_options(CLI::App& command, Arguments& arguments) {
  FilterSettings& settings = arguments.settings;
  command
      .add_option("INPUT", settings.input,
                  "Audio file, .npy (frames, or frames x channels), or '-': raw samples\n"
                  "from standard input, laid out as --raw-format says. Integers are read\n"
                  "as parts of full scale, which is 1")
      ->type_name("")
      ->required();
  command
      .add_option("OUTPUT", settings.output,
                  "Audio file (.wav, .w64, .rf64, .flac, .aiff ...), .npy, .raw, or '-':\n"
                  "raw samples to standard output")
      ->type_name("")
      ->required();
  command
      .add_option("--raw-format", arguments.raw_format,
                  "Read INPUT as headerless samples: s16, s24, s32, f32 or f64 with\n"
                  "le or be, channels, and rate; such as f32le:2:48000")
      ->type_name("FORMAT:CHANNELS:RATE");
  command
      .add_option("--rate", settings.rate_hz,
                  "Sample rate of an .npy INPUT (48000); other files have their own")
      ->type_name("HZ")
      ->check(positive_number());
  command
      .add_option("--mode", settings.mode,
                  "causal (default): as long as INPUT; full, same, valid: as NumPy\n"
                  "means them, by the longest filter")
      ->type_name("causal|full|same|valid")
      ->check(one_of({"causal", "full", "same", "valid"}));
  command
      .add_option("--gain", settings.gain_db,
                  "Gain in dB; with --normalize, where the peak comes to lie (0)")
      ->type_name("DB")
      ->check(number(-200, 200));
  command.add_flag("--normalize", settings.normalize,
                   "Bring the output's peak to full scale; reads INPUT twice");
  command
      .add_option("--output-format", arguments.output_format,
                  "Samples of OUTPUT: float32, float64, int16, int24 or int32;\n"
                  "float32 unless the container cannot hold it")
      ->type_name("FORMAT");
  command.add_flag("--dither", settings.create.dither,
                   "Add triangular dither before rounding to an integer format;\n"
                   "float samples are refused then");
}

void add_run_options(CLI::App& command, Arguments& arguments) {
  command.add_flag("--as-live", arguments.as_live,
                   "Use the blocks and the plan of a live run, as fast as they go, also in\n"
                   "a pipe that is to flow; without it larger blocks are chosen for speed");
  command.add_flag("--realtime", arguments.realtime, "As --as-live, but paced by the clock");
  command.add_flag("--strict", arguments.strict, "Missed deadlines too end in exit code 4");
  arguments.json.add_to(command, "a report");
  command.add_flag("-q,--quiet", arguments.quiet, "No summary, no notes, no progress bar");
}

void refuse_normalize_of_pipes(const std::string& input) {
  std::error_code ignored;
  const bool once_only = input == "-" || (std::filesystem::exists(input, ignored) &&
                                          !std::filesystem::is_regular_file(input, ignored));
  if (once_only) {
    refuse(
        fmt::format("--normalize: {} cannot be read twice; a file is needed", input_name(input)));
  }
}

void finish_settings(Arguments& arguments) {
  FilterSettings& settings = arguments.settings;
  const BankOptions& bank = arguments.bank;
  bank.check();
  settings.filter_files = bank.files;
  refuse_same_file("OUTPUT", settings.output, bank.files);
  if (arguments.as_live && arguments.realtime) {
    refuse("--as-live and --realtime exclude each other; --realtime is the paced one");
  }
  if (!settings.engine.on_overload.empty() && !arguments.realtime) {
    refuse(fmt::format("--on-overload {} needs --realtime", settings.engine.on_overload));
  }
  if (settings.normalize) {
    refuse_normalize_of_pipes(settings.input);
    if (settings.gain_db > 0) {
      refuse(fmt::format("--gain {} with --normalize; at most 0 dB, full scale, is allowed",
                         settings.gain_db));
    }
  }
  if (!arguments.raw_format.empty()) {
    settings.open.raw_format = parse_raw_format(arguments.raw_format);
  } else if (settings.input == "-") {
    refuse("INPUT '-' needs --raw-format, such as f32le:2:48000");
  }
  if (!arguments.output_format.empty()) {
    settings.create.encoding = parse_sample_encoding(arguments.output_format);
  }
  const SampleEncoding stored =
      settings.create.encoding.value_or(default_encoding(settings.output));
  if (settings.create.dither &&
      (stored == SampleEncoding::kFloat32 || stored == SampleEncoding::kFloat64)) {
    refuse(
        fmt::format("--dither has no use with {} samples; --output-format int16, int24 or int32 "
                    "is allowed with it",
                    name(stored)));
  }
  settings.pace = arguments.realtime  ? Pace::kRealtime
                  : arguments.as_live ? Pace::kAsLive
                                      : Pace::kOffline;
  settings.progress = !arguments.quiet;
  settings.notice = [quiet = arguments.quiet](const std::string& line) {
    if (!quiet) tell("firbank: note: {}\n", line);
  };
  settings.load_filters = [&bank, notice = settings.notice](const StreamFormat& input) {
    FilterBank filters = bank.load(input.sample_rate_hz, notice);
    Routing routing = bank.connect(input.channels, filters.size());
    return RunFilters{.bank = filters, .routing = std::move(routing), .routing_name = bank.routing};
  };
}

int run(Arguments& arguments) {
  finish_settings(arguments);
  return run_and_tell(arguments.settings, arguments.json,
                      {.quiet = arguments.quiet, .strict = arguments.strict});
}

}  // namespace

void add_filter_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("filter", "Filter a stream through a bank of FIR filters");
  const auto arguments = std::make_shared<Arguments>();
  add_stream_options(*command, *arguments);
  arguments->bank.add_to(*command, true);
  arguments->settings.engine.add_to(*command);
  arguments->settings.engine.add_arithmetic_to(*command);
  arguments->settings.engine.add_spectra_to(*command);
  arguments->settings.engine.add_depth_to(*command);
  arguments->settings.engine.add_gpu_mode_to(*command);
  arguments->settings.engine.add_memory_limit_to(*command);
  arguments->settings.engine.add_overload_to(*command);
  add_run_options(*command, *arguments);
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
