#include "engine/filter_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
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

struct LoadedFile {
  std::vector<std::vector<double>> channels;
  double sample_rate_hz = 0;  // 0: the file has none
};

// Every audio container and .npy has a control character in its first bytes; text has none. A file
// is judged by what it holds and not by its extension, which may lie.
bool looks_like_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && (byte < '\t' || byte > '\r'));
  });
}

LoadedFile load_file(const std::string& path) {
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
    return {.channels = {parse_filter_text(text_of(std::string::npos), path)}};
  }
  constexpr double kAnyRate = 48'000;
  const std::unique_ptr<Source> source = open_source(std::move(file), kAnyRate);
  LoadedFile loaded{.channels = read_all(*source)};
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

// The taps are samples of an impulse response in continuous time, whose sum times the sample
// spacing is the gain at frequency 0; a wider spacing therefore needs larger taps.
std::vector<double> resampled(const std::vector<double>& taps, double from_hz, double to_hz) {
  std::vector<double> result = resample(taps, from_hz, to_hz);
  for (double& tap : result) tap *= from_hz / to_hz;
  return result;
}

}  // namespace

FilterBank load_filters(const std::vector<std::string>& files, const FilterFileOptions& options) {
  std::vector<std::vector<double>> filters;
  std::vector<std::string> names;
  for (const std::string& path : files) {
    LoadedFile loaded = load_file(path);
    const double from_hz = loaded.sample_rate_hz;
    const double to_hz = options.sample_rate_hz.value_or(from_hz);
    const bool resampling = from_hz > 0 && from_hz != to_hz;
    if (resampling && options.refuse_resampling) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: the filter's rate is {} Hz, the stream's is {} Hz; they must be "
                              "equal as resampling is refused",
                              path, from_hz, to_hz));
    }
    const std::size_t first = filters.size();
    for (std::size_t channel = 0; channel < loaded.channels.size(); ++channel) {
      std::string name =
          loaded.channels.size() == 1 ? path : fmt::format("{}, channel {}", path, channel + 1);
      std::vector<double>& taps = loaded.channels[channel];
      if (taps.empty()) {
        throw Error(ErrorKind::kInput,
                    fmt::format("{}: it has 0 taps; at least 1 is needed", name));
      }
      check_finite(taps, name);
      filters.push_back(resampling ? resampled(taps, from_hz, to_hz) : std::move(taps));
      names.push_back(std::move(name));
    }
    if (resampling && options.notice) {
      options.notice(printable(fmt::format("{}: filter resampled from {} Hz to {} Hz, now {} taps",
                                           path, from_hz, to_hz, filters[first].size())));
    }
  }
  return FilterBank(std::move(filters), std::move(names));
}

}  // namespace firbank
