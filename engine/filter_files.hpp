// Reading filters from files: audio (one filter a channel), .npy and one-number-a-line text.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/filter_bank.hpp"

namespace firbank {

struct FilterFileOptions {
  /// Rate of the stream that the filters are for; filters of another rate are resampled to it.
  /// Files without a rate (.npy, text) are taken as they are. Empty: nothing is resampled.
  std::optional<double> sample_rate_hz;

  /// Refuse a filter of another rate instead of resampling it.
  bool refuse_resampling = false;

  /// Told one line for each file that is resampled.
  std::function<void(const std::string& line)> notice;
};

/// The filters of all files, in order; a file of many channels counts as that many filters in
/// channel order. A pipe will do as well, of up to 256 MiB. Resampling keeps a filter's gain: taps
/// are scaled by the ratio of the rates. It keeps phase and delay too, unless a filter of the bank
/// begins so early that its rise would lie before tap 0: then all are resampled with minimum phase
/// (up to 24 times their rate), which delays them by some 5 frames of the lower rate. Throws: Error
/// naming the file, the value and what is allowed.
FilterBank load_filters(const std::vector<std::string>& files,
                        const FilterFileOptions& options = {});

/// The filters of one file as they are stored.
struct FilterFile {
  std::string path;
  std::vector<std::vector<double>> channels;  // taps, in double precision; all are finite
  double sample_rate_hz = 0;                  // 0: the file has none
};

/// Reads a file as load_filters() does, without resampling. Throws: Error.
FilterFile load_filter_file(const std::string& path);

/// Resamples what has another rate than options.sample_rate_hz, all of it alike, as load_filters()
/// does. Throws: Error when that is needed and refused.
void resample_filters(std::vector<FilterFile>& files, const FilterFileOptions& options);

}  // namespace firbank
