#include "engine/config/response_loader.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/config/fir_design.hpp"
#include "engine/config/fourier.hpp"
#include "engine/filter_files.hpp"
#include "io/error.hpp"

namespace firbank {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::kConfiguration, what);
}

std::size_t leading_silence(const std::vector<double>& taps) {
  double peak = 0;
  for (const double tap : taps) peak = std::max(peak, std::abs(tap));
  if (peak == 0) return 0;
  const auto first = std::find_if(taps.begin(), taps.end(),
                                  [&](double tap) { return std::abs(tap) >= kSilence * peak; });
  return static_cast<std::size_t>(first - taps.begin());
}

std::vector<double> convolved(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() == 1 || b.size() == 1) {
    std::vector<double> result = a.size() == 1 ? b : a;
    for (double& tap : result) tap *= a.size() == 1 ? a[0] : b[0];
    return result;
  }
  const std::size_t taps = a.size() + b.size() - 1;
  // Both in one transform, as real and imaginary part: the square's imaginary part is 2 a b.
  std::vector<std::complex<double>> work(std::bit_ceil(taps));
  double a_peak = 0;
  double b_peak = 0;
  for (const double tap : a) a_peak = std::max(a_peak, std::abs(tap));
  for (const double tap : b) b_peak = std::max(b_peak, std::abs(tap));
  if (a_peak == 0 || b_peak == 0) return std::vector<double>(taps, 0.0);
  for (std::size_t n = 0; n < a.size(); ++n) work[n].real(a[n] / a_peak);
  for (std::size_t n = 0; n < b.size(); ++n) work[n].imag(b[n] / b_peak);
  fourier_transform(work);
  for (auto& value : work) value *= value;
  fourier_transform(work, true);
  const double scale = a_peak * b_peak / (2 * static_cast<double>(work.size()));
  std::vector<double> result(taps);
  for (std::size_t n = 0; n < taps; ++n) result[n] = work[n].imag() * scale;
  return result;
}

std::vector<double> hilbert_taps(std::size_t length) {
  const std::size_t half = length / 2;
  std::vector<double> taps(2 * half, 0.0);
  for (std::size_t k = 1; k < half; k += 2) {
    const double phase =
        2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(2 * half);
    const double tap =
        2 / (std::numbers::pi * static_cast<double>(k)) * (0.43 + 0.57 * std::cos(phase));
    taps[half + k] = -tap;
    taps[half - k] = tap;
  }
  return taps;
}

/// Loads what files there are, each once, and resamples all their parts alike.
class FileParts {
 public:
  FileParts(const ResponseOptions& options, std::function<void(const std::string&)> notice)
      : options_(options), notice_(std::move(notice)) {}

  /// Notes a part, to be had from taps() after load().
  void want(const FileResponse& part) {
    if (find(part) != parts_.size()) return;
    parts_.push_back(part);
  }

  void load() {
    std::map<std::string, FilterFile> files;
    std::map<std::string, std::size_t> cut_of_path;
    for (const FileResponse& part : parts_) {
      auto at = files.find(part.path);
      if (at == files.end()) at = files.emplace(part.path, load_filter_file(part.path)).first;
      const auto [cut, is_new] = cut_of_path.emplace(part.path, cuts_.size());
      if (is_new) {
        cuts_.push_back({part.path, {}, at->second.sample_rate_hz});
      }
      FilterFile& target = cuts_[cut->second];
      where_.emplace_back(cut->second, target.channels.size());
      target.channels.push_back(cut_of(part, at->second));
    }
    FilterFileOptions resampling;
    resampling.sample_rate_hz = options_.sample_rate_hz;
    resampling.notice = notice_;
    resample_filters(cuts_, resampling);
  }

  const std::vector<double>& taps(const FileResponse& part) const {
    const auto [file, channel] = where_[find(part)];
    return cuts_[file].channels[channel];
  }

 private:
  std::size_t find(const FileResponse& part) const {
    return static_cast<std::size_t>(std::find(parts_.begin(), parts_.end(), part) - parts_.begin());
  }

  std::vector<double> cut_of(const FileResponse& part, const FilterFile& file) const {
    std::size_t channel = part.channel;
    if (part.wrap_channel) channel %= file.channels.size();
    if (channel >= file.channels.size()) {
      refuse(fmt::format("{}: channel {} is not there; 1 to {} are allowed", part.path, channel + 1,
                         file.channels.size()));
    }
    const std::vector<double>& whole = file.channels[channel];
    if (part.segments > 1 && whole.size() % part.segments != 0) {
      refuse(fmt::format("{}: its {} frames cannot be cut into {} equal parts", part.path,
                         whole.size(), part.segments));
    }
    const std::size_t segment_frames = whole.size() / part.segments;
    if (part.offset >= segment_frames) {
      refuse(fmt::format("{}: the offset is {} frames; 0 to {} are allowed", part.path, part.offset,
                         segment_frames - 1));
    }
    std::size_t length = segment_frames - part.offset;
    if (part.length != 0) length = std::min(length, part.length);
    const auto first =
        whole.begin() + static_cast<std::ptrdiff_t>(part.segment * segment_frames + part.offset);
    std::vector<double> taps(first, first + static_cast<std::ptrdiff_t>(length));
    const std::size_t silence = leading_silence(taps);
    if (silence > 0) {
      const double ms =
          file.sample_rate_hz > 0 ? 1'000 * static_cast<double>(silence) / file.sample_rate_hz : 0;
      notice_(fmt::format("{}, channel {}: begins with {} frames{} of silence, {}", part.path,
                          channel + 1, silence, ms > 0 ? fmt::format(" ({:.3g} ms)", ms) : "",
                          part.trim ? "left out" : "kept"));
      if (part.trim) taps.erase(taps.begin(), taps.begin() + static_cast<std::ptrdiff_t>(silence));
    }
    return taps;
  }

  const ResponseOptions& options_;
  std::function<void(const std::string&)> notice_;
  std::vector<FileResponse> parts_;
  std::vector<FilterFile> cuts_;  // one for each file, a channel for each part
  std::vector<std::pair<std::size_t, std::size_t>> where_;
};

std::vector<double> designed(const Equaliser& equaliser, const std::string& name,
                             const ResponseOptions& options,
                             const std::function<void(const std::string&)>& notice) {
  DesignedFilter filter = design_filter(equaliser, options.sample_rate_hz);
  if (!filter.within_tolerance()) {
    notice(
        fmt::format("filter '{}': {} taps are too few for its curve: it is off by {:.2g} dB at "
                    "{:.4g} Hz; at most {} dB is wanted",
                    name, filter.taps.size(), filter.worst_error_db, filter.worst_error_hz,
                    kDesignToleranceDb));
  }
  return std::move(filter.taps);
}

}  // namespace

std::size_t delay_frames(const Delay& delay, double sample_rate_hz) {
  const double frames = std::round(delay.seconds * sample_rate_hz);
  constexpr auto kMost = static_cast<double>(kMostConfigFrames);
  if (!(frames >= 0 && frames <= kMost - static_cast<double>(delay.frames))) {
    refuse(
        fmt::format("a delay of {} frames and {} s at {} Hz is more than the {} frames that are "
                    "allowed",
                    delay.frames, delay.seconds, sample_rate_hz, kMostConfigFrames));
  }
  return delay.frames + static_cast<std::size_t>(frames);
}

std::vector<std::vector<double>> load_responses(const RunConfig& config,
                                                const std::vector<bool>& wanted,
                                                const ResponseOptions& options) {
  std::set<std::string> told;  // the same file may be cut in many ways
  const auto notice = [&](const std::string& line) {
    if (options.notice && told.insert(line).second) options.notice(line);
  };
  FileParts files(options, notice);
  for (std::size_t i = 0; i < config.filters.size(); ++i) {
    if (!wanted[i]) continue;
    for (const Stage& stage : config.filters[i].stages) {
      if (const auto* part = std::get_if<FileResponse>(&stage)) files.want(*part);
    }
  }
  files.load();
  std::vector<std::vector<double>> responses(config.filters.size());
  for (std::size_t i = 0; i < config.filters.size(); ++i) {
    if (!wanted[i]) continue;
    const FilterSpec& filter = config.filters[i];
    std::vector<double> taps = {filter.gain};
    for (const Stage& stage : filter.stages) {
      std::vector<double> own;
      if (const auto* part = std::get_if<FileResponse>(&stage)) own = files.taps(*part);
      if (const auto* hilbert = std::get_if<HilbertResponse>(&stage)) {
        own = hilbert_taps(hilbert->length);
      }
      if (const auto* list = std::get_if<TapList>(&stage)) own = *list;
      if (const auto* equaliser = std::get_if<Equaliser>(&stage)) {
        own = designed(*equaliser, filter.name, options, notice);
      }
      taps = convolved(taps, own);
    }
    taps.insert(taps.begin(), delay_frames(filter.delay, options.sample_rate_hz), 0.0);
    responses[i] = std::move(taps);
  }
  return responses;
}

}  // namespace firbank
