// What the programs of bench/gpu tell bench/gpu/run: one JSON object a line on stdout.
//
//   {"name": "copy", "unit": "GB/s", "value": 1.5}
//   {"name": "process", "unit": "us", "samples": 9, "median": 1, "p99": 2, "p999": 2, "max": 2}
//   {"name": "plan", "text": "..."}
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace firbank::bench {

/// The smallest of `sorted` that at least `share` of them do not exceed.
inline double quantile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

inline void tell_figure(const std::string& name, const char* unit, double value) {
  std::printf("{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.9g}\n", name.c_str(), unit, value);
  std::fflush(stdout);
}

/// Prints nothing for no samples.
inline void tell_samples(const std::string& name, const char* unit, std::vector<double> samples) {
  if (samples.empty()) return;
  std::sort(samples.begin(), samples.end());
  std::printf(
      "{\"name\": \"%s\", \"unit\": \"%s\", \"samples\": %zu, \"median\": %.9g, \"p99\": %.9g, "
      "\"p999\": %.9g, \"max\": %.9g}\n",
      name.c_str(), unit, samples.size(), quantile(samples, 0.5), quantile(samples, 0.99),
      quantile(samples, 0.999), samples.back());
  std::fflush(stdout);
}

inline void tell_text(const std::string& name, const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  std::printf("{\"name\": \"%s\", \"text\": \"%s\"}\n", name.c_str(), escaped.c_str());
  std::fflush(stdout);
}

}  // namespace firbank::bench
