#include "engine/filter_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/filter_text.hpp"
#include "io/error.hpp"
#include "io/files.hpp"
#include "io/input_source.hpp"
#include "io/one_line.hpp"
#include "io/resampler.hpp"

namespace firbank {
namespace {

// Every audio container and .npy has a control character in its first bytes; text has none. A file
// is judged by what it holds and not by its extension, which may lie.
bool looks_like_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && (byte < '\t' || byte > '\r'));
  });
}

FilterFile load_file(const std::string& path) {
  constexpr std::size_t kHeadBytes = 4096;
  if (path == "-") {
    throw Error(ErrorKind::kConfiguration,
                "filter '-': filters are read from files, not from standard input");
  }
  InputFile file(path);
  file.load();
  const auto text_of = [&](std::size_t most) {
    std::string text(std::min<std::uint64_t>(*file.size(), most), '\0');
    text.resize(file.read_at(0, text.data(), text.size()));
    return text;
  };
  const std::string head = text_of(kHeadBytes);
  if (head.empty()) throw Error(ErrorKind::kInput, fmt::format("{}: the file is empty", path));
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: it is UTF-16 text; allowed: UTF-8 or ASCII, one number a line", path));
  }
  if (looks_like_text(head)) {
    return {.path = path, .channels = {parse_filter_text(text_of(std::string::npos), path)}};
  }
  constexpr double kAnyRate = 48'000;
  const std::unique_ptr<Source> source = open_source(std::move(file), kAnyRate);
  FilterFile loaded{.path = path, .channels = read_all(*source)};
  if (!head.starts_with("\x93NUMPY")) loaded.sample_rate_hz = source->format().sample_rate_hz;
  return loaded;
}

void check_finite(const std::vector<double>& taps, const std::string& name) {
  const auto bad =
      std::find_if(taps.begin(), taps.end(), [](double tap) { return !std::isfinite(tap); });
  if (bad == taps.end()) return;
  throw Error(ErrorKind::kInput, fmt::format("{}: tap {} is {}; only finite numbers are allowed",
                                             name, bad - taps.begin(), *bad));
}

// The filters of one file at another rate. The taps are samples of an impulse response in
// continuous time, whose sum times the sample spacing is the gain at frequency 0; a wider spacing
// therefore needs larger taps.
struct ResampledFile {
  std::vector<std::vector<double>> channels;
  std::size_t delay_frames = 0;
  double cut_energy = 0;  // of the filter that lost most
};

ResampledFile resampled(const FilterFile& file, double to_hz, ResamplerPhase phase) {
  ResampledFile result;
  for (const std::vector<double>& taps : file.channels) {
    Resampled channel = resample(taps, file.sample_rate_hz, to_hz, phase);
    for (double& tap : channel.samples) tap *= file.sample_rate_hz / to_hz;
    result.channels.push_back(std::move(channel.samples));
    result.delay_frames = channel.delay_frames;
    result.cut_energy = std::max(result.cut_energy, channel.cut_energy);
  }
  return result;
}

std::string resampling_notice(const FilterFile& from, double to_hz, const ResampledFile& file) {
  std::size_t taps = 0;
  for (const std::vector<double>& channel : file.channels) taps = std::max(taps, channel.size());
  std::string line = fmt::format("{}: filter resampled from {} Hz to {} Hz, now {} taps", from.path,
                                 from.sample_rate_hz, to_hz, taps);
  if (file.delay_frames > 0) {
    line += fmt::format(
        "; with minimum phase and {} frames of delay, for a filter here begins at its first tap",
        file.delay_frames);
  }
  if (file.cut_energy > kNegligibleEnergy) {
    line += fmt::format("; cut before its first tap: {:.1f} dB of its energy",
                        10 * std::log10(file.cut_energy));
  }
  return printable(line);
}

bool needs_resampling(const FilterFile& file, const FilterFileOptions& options) {
  return file.sample_rate_hz > 0 && options.sample_rate_hz &&
         file.sample_rate_hz != *options.sample_rate_hz;
}

std::string channel_name(const FilterFile& file, std::size_t channel) {
  return file.channels.size() == 1 ? file.path
                                   : fmt::format("{}, channel {}", file.path, channel + 1);
}

}  // namespace

FilterFile load_filter_file(const std::string& path) {
  FilterFile file = load_file(path);
  for (std::size_t channel = 0; channel < file.channels.size(); ++channel) {
    const std::string name = channel_name(file, channel);
    const std::vector<double>& taps = file.channels[channel];
    if (taps.empty()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: it has 0 taps; at least 1 is needed", name));
    }
    check_finite(taps, name);
  }
  return file;
}

// The filters of a bank belong together, as those of two ears do: all are resampled with linear
// phase or, when one begins so early that its rise would be cut, with minimum phase.
void resample_filters(std::vector<FilterFile>& files, const FilterFileOptions& options) {
  std::vector<ResampledFile> results(files.size());
  bool early = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!needs_resampling(files[i], options)) continue;
    if (options.refuse_resampling) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: the filter's rate is {} Hz, the stream's is {} Hz; they must be "
                              "equal as resampling is refused",
                              files[i].path, files[i].sample_rate_hz, *options.sample_rate_hz));
    }
    results[i] = resampled(files[i], *options.sample_rate_hz, ResamplerPhase::kLinear);
    early = early || results[i].cut_energy > kNegligibleEnergy;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    FilterFile& file = files[i];
    if (!needs_resampling(file, options)) continue;
    const double to_hz = *options.sample_rate_hz;
    if (early && has_minimum_phase(file.sample_rate_hz, to_hz)) {
      results[i] = resampled(file, to_hz, ResamplerPhase::kMinimum);
    }
    if (options.notice) options.notice(resampling_notice(file, to_hz, results[i]));
    file.channels = std::move(results[i].channels);
    file.sample_rate_hz = to_hz;
  }
}

FilterBank load_filters(const std::vector<std::string>& files, const FilterFileOptions& options) {
  std::vector<FilterFile> loaded;
  std::vector<std::string> names;
  for (const std::string& path : files) {
    const FilterFile& file = loaded.emplace_back(load_filter_file(path));
    for (std::size_t channel = 0; channel < file.channels.size(); ++channel) {
      names.push_back(channel_name(file, channel));
    }
  }
  resample_filters(loaded, options);
  std::vector<std::vector<double>> filters;
  for (FilterFile& file : loaded) {
    std::move(file.channels.begin(), file.channels.end(), std::back_inserter(filters));
  }
  return FilterBank(std::move(filters), std::move(names));
}

}  // namespace firbank
