// The workloads that firbank and its peers are measured on.
//
// A row is a workload at one block size. `peer_figure` is what the best peer is known to reach on
// this class of machine: an adapter here that stays 30% below is no fair opponent, and its row is
// void. `target` is what firbank is to reach, in times the best peer of the same run.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/routing.hpp"

namespace peers {

/// A stream in calls of one size, rated in times real time.
struct StreamRow {
  std::size_t block_frames = 0;
  double peer_figure = 0;  // times real time per core; the low end where a range is known
  double target = 0;
};

struct StreamWorkload {
  std::string name;
  std::string title;
  firbank::Routing routing;
  std::size_t filters = 0;
  std::size_t taps = 0;  // of each filter
  double sample_rate_hz = 0;
  bool two_threads = false;  // measured with two threads as well
  std::vector<StreamRow> rows;
};

/// All data at once, rated in seconds of processor time.
struct OfflineWorkload {
  std::string name;
  std::string title;
  firbank::Routing routing;
  std::vector<std::size_t> taps;  // of each filter
  std::size_t frames = 0;         // of each input
  bool tails = false;             // put out as well, like numpy's mode "full"
};

std::vector<StreamWorkload> stream_workloads();
std::vector<OfflineWorkload> offline_workloads();

/// The filters of a workload: noise, one stream each.
std::vector<std::vector<float>> filters_of(const StreamWorkload& workload);
std::vector<std::vector<float>> filters_of(const OfflineWorkload& workload);

}  // namespace peers
