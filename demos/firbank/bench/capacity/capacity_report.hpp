// CapacityReport: the largest streams that stayed in time, by block size and backend.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/capacity/capacity_probe.hpp"

namespace firbank::program {

/// What one backend carries at one block size.
struct FrontierPoint {
  std::string backend;
  std::size_t block_frames = 0;
  std::size_t capacity = 0;            // 0: not even the least
  std::size_t products_per_frame = 0;  // taps of all connections together
  bool at_limit = false;               // the largest that was tried: it may be more
  std::vector<CapacityStep> steps;
};

struct CapacityReport {
  nlohmann::ordered_json head;  // begin_report(), before anything was measured
  std::string varied;           // channels, filters or taps
  std::string routing;
  std::optional<std::size_t> channels;  // none of what is varied, or follows from it
  std::optional<std::size_t> filters;
  std::optional<std::size_t> taps;
  std::optional<std::size_t> outputs;
  double sample_rate_hz = 0;
  std::size_t threads = 1;
  CapacityLimit limit;
  std::vector<FrontierPoint> frontier;
  bool stopped = false;
};

nlohmann::ordered_json to_json(const CapacityReport& report);

/// Whether it is worth judging by.
bool is_usable(const CapacityReport& report);

/// A line for each step, the first line naming the columns.
std::string to_csv(const CapacityReport& report);

/// The table, as it comes: what is searched for, a row a point, and what follows from all.
void print_head(const CapacityReport& report);
void print_row(const CapacityReport& report, const FrontierPoint& point);
void print_end(const CapacityReport& report);

}  // namespace firbank::program
