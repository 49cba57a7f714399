#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/filter_run.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/planar_buffer.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/filter_files.hpp"
#include "io/error.hpp"
#include "io/extension.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank info hall.wav
  firbank info data.npy --rate 1000
  firbank info capture.bin --raw-format s16le:2:44100
  firbank info taps.txt --json -

peak, RMS and DC are over the whole file; full scale is 1, 0 dBFS. Read as a filter:
'starts' is the first tap that is not 0, 'centre' the centre of its energy (the delay
of a linear-phase filter), 'sum' the sum of its taps (its gain at 0 Hz).)";

constexpr std::size_t kBlockFrames = 16'384;
constexpr std::size_t kMaxLines = 64;

struct ChannelStatistics {
  double peak = 0;
  double sum = 0;
  double energy = 0;
  double energy_moment = 0;  // sum of frame x energy
  std::int64_t first_nonzero = -1;
  std::int64_t not_finite = 0;
  std::int64_t first_not_finite = -1;

  void add(std::int64_t frame, double sample) {
    if (!std::isfinite(sample)) {
      if (not_finite++ == 0) first_not_finite = frame;
      return;
    }
    if (sample == 0) return;
    if (first_nonzero < 0) first_nonzero = frame;
    peak = std::max(peak, std::abs(sample));
    sum += sample;
    energy += sample * sample;
    energy_moment += static_cast<double>(frame) * sample * sample;
  }
  double rms(std::int64_t frames) const {
    return frames > 0 ? std::sqrt(energy / static_cast<double>(frames)) : 0.0;
  }
  double mean(std::int64_t frames) const {
    return frames > 0 ? sum / static_cast<double>(frames) : 0.0;
  }
  double centre() const { return energy > 0 ? energy_moment / energy : 0.0; }
};

struct FileStatistics {
  std::string encoding;
  std::optional<double> sample_rate_hz;
  std::int64_t frames = 0;
  std::size_t incomplete_frame_bytes = 0;
  std::vector<ChannelStatistics> channels;
};

FileStatistics examine(Source& source) {
  FileStatistics result;
  result.encoding = source.format().encoding;
  result.sample_rate_hz = source.format().sample_rate_hz;
  result.channels.resize(source.format().channels);
  PlanarBuffer<double> planes(result.channels.size(), kBlockFrames);
  std::size_t got = kBlockFrames;
  while (got == kBlockFrames && !interrupt_requested()) {
    BasicBlock<double> block;
    block.planes = planes.planes();
    block.channels = planes.channels();
    block.frames = kBlockFrames;
    got = source.read(block);
    for (std::size_t c = 0; c < result.channels.size(); ++c) {
      for (std::size_t n = 0; n < got; ++n) {
        result.channels[c].add(result.frames + static_cast<std::int64_t>(n), planes.plane(c)[n]);
      }
    }
    result.frames += static_cast<std::int64_t>(got);
  }
  result.incomplete_frame_bytes = source.incomplete_frame_bytes();
  return result;
}

FileStatistics examine_text(const std::string& path) {
  const FilterBank bank = load_filters({path});
  FileStatistics result;
  result.encoding = "text, one number a line";
  result.channels.resize(1);
  for (const double tap : bank.taps(0)) result.channels[0].add(result.frames++, tap);
  return result;
}

FileStatistics examine(const std::string& path, const OpenOptions& options,
                       const std::optional<double>& rate_hz) {
  if (extension_of(path) == ".txt") return examine_text(path);
  std::unique_ptr<Source> source;
  try {
    source = open_input(path, options, rate_hz);
  } catch (const Error& not_audio) {
    if (options.raw_format || not_audio.kind() != ErrorKind::kInput) throw;
    try {
      return examine_text(path);
    } catch (const Error&) {
      throw not_audio;
    }
  }
  return examine(*source);
}

nlohmann::ordered_json to_json(const std::string& path, const FileStatistics& file) {
  nlohmann::ordered_json report = {{"file", path},
                                   {"encoding", file.encoding},
                                   {"channels", file.channels.size()},
                                   {"sample_rate_hz", nullptr},
                                   {"frames", file.frames},
                                   {"duration_seconds", nullptr},
                                   {"incomplete_frame_bytes", file.incomplete_frame_bytes}};
  if (file.sample_rate_hz) {
    report["sample_rate_hz"] = *file.sample_rate_hz;
    report["duration_seconds"] = static_cast<double>(file.frames) / *file.sample_rate_hz;
  }
  report["channel"] = nlohmann::ordered_json::array();
  for (const ChannelStatistics& channel : file.channels) {
    report["channel"].push_back({{"peak", channel.peak},
                                 {"rms", channel.rms(file.frames)},
                                 {"dc", channel.mean(file.frames)},
                                 {"sum", channel.sum},
                                 {"first_nonzero_frame", channel.first_nonzero},
                                 {"energy_centre_frame", channel.centre()},
                                 {"not_finite", channel.not_finite},
                                 {"first_not_finite_frame", channel.first_not_finite}});
  }
  return report;
}

void print(const std::string& path, const FileStatistics& file) {
  fmt::print("{:<8} {}\n", "file", input_name(path));
  fmt::print("{:<8} {}\n", "format", file.encoding);
  if (file.sample_rate_hz) {
    fmt::print("{:<8} {}\n\n", "stream",
               stream(file.channels.size(), *file.sample_rate_hz, file.frames));
  } else {
    fmt::print("{:<8} {}, no sample rate\n\n", "stream",
               counted(static_cast<std::uint64_t>(file.frames), "tap"));
  }
  fmt::print("{:>7}  {:>13}  {:>13}  {:>10}  {:>8}  {:>10}  {:>10}\n", "channel", "peak", "RMS",
             "DC", "starts", "centre", "sum");
  const std::size_t lines = std::min(file.channels.size(), kMaxLines);
  for (std::size_t c = 0; c < lines; ++c) {
    const ChannelStatistics& channel = file.channels[c];
    const std::string start =
        channel.first_nonzero < 0 ? "-" : fmt::format("{}", channel.first_nonzero);
    fmt::print("{:>7}  {:>13}  {:>13}  {:>10.3g}  {:>8}  {:>10.1f}  {:>10.4g}\n", c + 1,
               dbfs(channel.peak), dbfs(channel.rms(file.frames)), channel.mean(file.frames), start,
               channel.centre(), channel.sum);
  }
  if (lines < file.channels.size()) {
    fmt::print("and {} more (--json - has all)\n", file.channels.size() - lines);
  }
  for (std::size_t c = 0; c < file.channels.size(); ++c) {
    const ChannelStatistics& channel = file.channels[c];
    if (channel.not_finite == 0) continue;
    fmt::print("channel {}: {} NaN or infinite, the first at frame {}\n", c + 1,
               counted(static_cast<std::uint64_t>(channel.not_finite), "sample"),
               channel.first_not_finite);
  }
}

struct Arguments {
  std::string path;
  std::string raw_format;
  std::optional<double> rate_hz;
  JsonReport json;
};

int run(Arguments& arguments) {
  OpenOptions options;
  if (!arguments.raw_format.empty()) options.raw_format = parse_raw_format(arguments.raw_format);
  if (arguments.path == "-" && !options.raw_format) {
    refuse("FILE '-' needs --raw-format, such as f32le:2:48000");
  }
  arguments.json.open(arguments.path == "-" ? std::vector<std::string>{}
                                            : std::vector<std::string>{arguments.path});
  install_interrupt_handlers(1);
  watch_standard_streams(arguments.path == "-", false);
  const FileStatistics file = examine(arguments.path, options, arguments.rate_hz);
  if (interrupt_requested()) return kExitInterrupted;
  arguments.json.finish(to_json(arguments.path, file));
  if (!arguments.json.takes_standard_output()) print(arguments.path, file);
  if (file.incomplete_frame_bytes == 0) return kExitDone;
  tell("firbank: {}\n",
       incomplete_frame(file.incomplete_frame_bytes, file.frames, file.sample_rate_hz.value_or(1)));
  return kExitLoss;
}

}  // namespace

void add_info_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("info", "Tell what is in an audio file, an .npy file or a filter");
  const auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("FILE", arguments->path,
                   "Audio file, .npy, text with one number a line, or '-': raw samples\n"
                   "from standard input")
      ->type_name("")
      ->required();
  command
      ->add_option("--raw-format", arguments->raw_format,
                   "Read FILE as headerless samples, such as f32le:2:48000")
      ->type_name("FORMAT:CHANNELS:RATE");
  command->add_option("--rate", arguments->rate_hz, "Sample rate of an .npy file (48000)")
      ->type_name("HZ")
      ->check(positive_number());
  arguments->json.add_to(*command, "a report");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
