// ThroughputRow: one system of filters whose throughput is measured.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

struct ThroughputRow {
  std::string name;
  std::string wiring;  // rows, bank or matrix
  FilterBank bank;
  Routing routing;
  EngineConfig config;  // its goal says whether calls are a stream's blocks or as the plan likes
  bool double_precision = false;

  const char* goal() const { return config.goal == PlanGoal::kOffline ? "offline" : "live"; }
  const char* precision() const { return double_precision ? "double" : "float"; }
};

/// A row before its filters are made.
struct NamedRow {
  std::string name;
  std::string what;    // "stereo reverb: 2 channels of 480000 taps"
  std::string wiring;  // rows, bank or matrix
  std::size_t inputs = 1;
  std::size_t outputs = 1;
  std::size_t taps = 1;
  double sample_rate_hz = 48'000;
  PlanGoal goal = PlanGoal::kLive;
  std::size_t block_frames = 256;  // live

  std::size_t filters() const;
  Routing routing() const;
};

/// A few that show the range, from one that lives in the first cache to those that memory binds.
const std::vector<NamedRow>& named_rows();

}  // namespace firbank::program
