#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/text_file.hpp"
#include "demos/firbank/window_design.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/extension.hpp"
#include "io/files.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank design lowpass low.wav --rate 48000 --cutoff 1000 --transition 200
  firbank design bandpass voice.wav --low 300 --high 3400 --transition 100 --attenuation 60
  firbank design bandstop hum.txt --rate 1000 --low 48 --high 52 --transition 2
  firbank design hilbert quarter.npy --transition 50 --attenuation 100
  firbank design lowpass - --rate 1000 --cutoff 40 --taps 101 | head

Linear phase, an odd number of taps. An edge lies in the middle of its transition,
where the gain is one half (-6 dB). The gain is 1 at 0 Hz (lowpass, bandstop), at half the
rate (highpass), in the middle (bandpass) or at a quarter of the rate (hilbert). What
was reached is measured on the finished taps and printed. 'firbank filter --mode same'
takes the delay out.)";

struct Arguments {
  std::string kind;
  std::string output;
  DesignRequest request;
  std::optional<double> cutoff_hz;
  std::optional<double> low_hz;
  std::optional<double> high_hz;
  std::string format;
  JsonReport json;
  bool quiet = false;
};

/// Which edges a kind has: --cutoff, --low and --high, or none.
void take_edges(Arguments& arguments) {
  DesignRequest& request = arguments.request;
  request.kind = filter_kind(arguments.kind);
  const bool one = request.kind == FilterKind::kLowpass || request.kind == FilterKind::kHighpass;
  const bool two = request.kind == FilterKind::kBandpass || request.kind == FilterKind::kBandstop;
  if (one != arguments.cutoff_hz.has_value()) {
    refuse(one ? fmt::format("{} needs --cutoff HZ", arguments.kind)
               : fmt::format("--cutoff {} is for lowpass and highpass; {} has {}",
                             *arguments.cutoff_hz, arguments.kind,
                             two ? "--low and --high" : "no edges, only a --transition"));
  }
  if (two && !(arguments.low_hz && arguments.high_hz)) {
    refuse(fmt::format("{} needs --low HZ and --high HZ", arguments.kind));
  }
  if (!two && (arguments.low_hz || arguments.high_hz)) {
    refuse(fmt::format("--low and --high are for bandpass and bandstop; {} has {}", arguments.kind,
                       one ? "--cutoff" : "no edges, only a --transition"));
  }
  request.low_hz = arguments.low_hz.value_or(arguments.cutoff_hz.value_or(0));
  request.high_hz = arguments.high_hz.value_or(arguments.cutoff_hz.value_or(0));
}

bool is_text(const std::string& path) {
  return path == "-" || extension_of(path) == ".txt";
}

void check_output(const Arguments& arguments) {
  const std::string& path = arguments.output;
  const bool known = is_text(path) || extension_of(path) == ".wav" || extension_of(path) == ".npy";
  if (!known) {
    refuse(fmt::format("OUTPUT is '{}'; .wav, .npy, .txt, or '-' for text, are allowed", path));
  }
  if (is_text(path) && !arguments.format.empty()) {
    refuse(fmt::format("--output-format {} is for .wav and .npy; text has all digits",
                       arguments.format));
  }
}

/// With a progress bar. Throws: Error, also once an interrupt is requested.
FilterDesign computed(const Arguments& arguments) {
  std::optional<ProgressBar> bar;
  const DesignProgress progress = [&](std::size_t taps, std::int64_t done, std::int64_t total) {
    if (interrupt_requested()) {
      throw Error(ErrorKind::kOutput, fmt::format("stopped before {} was written; nothing is left",
                                                  output_name(arguments.output)));
    }
    if (done == 1) bar.emplace(total, fmt::format("measuring {} taps", taps), !arguments.quiet);
    bar->update(done);
  };
  FilterDesign design = design_filter(arguments.request, progress);
  if (arguments.format == "float32") design = rounded_to_float(arguments.request, design, progress);
  return design;
}

void write_taps(const Arguments& arguments, const std::vector<double>& taps) {
  if (is_text(arguments.output)) {
    TextFile file(arguments.output);
    std::string text;
    for (const double tap : taps) text += fmt::format("{:.17g}\n", tap);
    file.finish(text);
    return;
  }
  StreamFormat format;
  format.sample_rate_hz = arguments.request.sample_rate_hz;
  format.frames = static_cast<std::int64_t>(taps.size());
  CreateOptions create;
  create.encoding =
      arguments.format == "float32" ? SampleEncoding::kFloat32 : SampleEncoding::kFloat64;
  const std::unique_ptr<Sink> sink = create_sink(arguments.output, format, create);
  const double* const plane = taps.data();
  BasicBlock<const double> block;
  block.planes = &plane;
  block.channels = 1;
  block.frames = taps.size();
  sink->write(block);
  sink->finish();
}

int run(Arguments& arguments) {
  take_edges(arguments);
  check_output(arguments);
  const DesignRequest& request = arguments.request;
  arguments.json.open({arguments.output});
  install_interrupt_handlers(1);
  const FilterDesign design = computed(arguments);
  write_taps(arguments, design.taps);

  arguments.json.finish({{"kind", arguments.kind},
                         {"output", arguments.output},
                         {"sample_rate_hz", request.sample_rate_hz},
                         {"taps", design.taps.size()},
                         {"delay_frames", design.delay_frames()},
                         {"transition_hz", design.transition_hz},
                         {"attenuation_asked_db", request.attenuation_db},
                         {"attenuation_db", design.attenuation_db},
                         {"passband_ripple_db", design.passband_ripple_db}});
  if (arguments.quiet) return kExitDone;
  const bool stdout_taken = arguments.output == "-" || arguments.json.takes_standard_output();
  std::FILE* const to = stdout_taken ? stderr : stdout;
  const double rate = request.sample_rate_hz;
  const bool reached = design.attenuation_db >= request.attenuation_db;
  fmt::print(to, "{:<12} {}, {} taps at {} Hz\n", "filter", arguments.kind, design.taps.size(),
             rate);
  fmt::print(to, "{:<12} {} ({})\n", "delay", counted(design.delay_frames(), "frame"),
             duration(static_cast<double>(design.delay_frames()) / rate));
  fmt::print(to, "{:<12} {:.6g} Hz wide\n", "transition", design.transition_hz);
  fmt::print(to, "{:<12} {:.2f} dB measured, {:g} dB asked for{}{}\n", "attenuation",
             design.attenuation_db, request.attenuation_db,
             request.kind == FilterKind::kHilbert ? " (of negative frequencies)" : "",
             reached        ? ""
             : request.taps ? "; more taps or a wider transition are needed for that"
                            : "; the precision of the taps allows no more");
  fmt::print(to, "{:<12} {:.3g} dB at most\n", "ripple", design.passband_ripple_db);
  fmt::print(to, "{:<12} {}\n", "output", output_name(arguments.output));
  return kExitDone;
}

}  // namespace

void add_design_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand(
      "design", "Make a lowpass, highpass, bandpass, bandstop or Hilbert filter");
  const auto arguments = std::make_shared<Arguments>();
  DesignRequest& request = arguments->request;
  command->add_option("KIND", arguments->kind, "lowpass, highpass, bandpass, bandstop or hilbert")
      ->type_name("")
      ->required()
      ->check(one_of({"lowpass", "highpass", "bandpass", "bandstop", "hilbert"}));
  command
      ->add_option("OUTPUT", arguments->output,
                   ".wav, .npy, .txt (one number a line), or '-': text to standard output")
      ->type_name("")
      ->required();
  command->add_option("--rate", request.sample_rate_hz, "Sample rate (48000)")
      ->type_name("HZ")
      ->check(positive_number());
  command->add_option("--cutoff", arguments->cutoff_hz, "Edge of a lowpass or highpass")
      ->type_name("HZ")
      ->check(positive_number());
  command->add_option("--low", arguments->low_hz, "Lower edge of a bandpass or bandstop")
      ->type_name("HZ")
      ->check(positive_number());
  command->add_option("--high", arguments->high_hz, "Upper edge of a bandpass or bandstop")
      ->type_name("HZ")
      ->check(positive_number());
  command
      ->add_option("--transition", request.transition_hz,
                   "Width of each transition; of hilbert: the band above 0 Hz\n"
                   "and below half the rate that it leaves out")
      ->type_name("HZ")
      ->check(positive_number());
  command
      ->add_option("--attenuation", request.attenuation_db,
                   "Of the stopbands, in dB (80), 10 to 240; as many taps as that takes")
      ->type_name("DB")
      ->check(number(10, 240));
  command
      ->add_option("--taps", request.taps,
                   fmt::format("An odd number of taps, 3 to {}, instead of --transition;\n"
                               "with it: the attenuation is what it turns out to be",
                               kMaxDesignTaps))
      ->type_name("N")
      ->check(whole_number(3, kMaxDesignTaps));
  command->add_option("--output-format", arguments->format, "float64 (default) or float32")
      ->type_name("FORMAT")
      ->check(one_of({"float32", "float64"}));
  arguments->json.add_to(*command, "a report");
  command->add_flag("-q,--quiet", arguments->quiet, "No summary");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
