// What `firbank bench loopback` found, and how it is told: whether it can be used, and as JSON.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/loopback/delay_estimate.hpp"
#include "demos/firbank/bench/loopback/loopback_signal.hpp"

namespace firbank::program {

struct LoopbackRun {
  LoopbackSetting setting;
  std::string input_device;
  std::string output_device;
  std::size_t input_channel = 0;  // of the device, from 0 on
  std::size_t output_channel = 0;
  std::size_t block_frames = 0;           // the longest that the device brought
  std::optional<double> input_latency_s;  // as the driver says; none where that is of no use
  std::optional<double> output_latency_s;
  std::size_t glitches = 0;  // calls before which the device told of lost samples, in the whole run
  DelayEstimate estimate;
};

/// What a driver says of a latency, unless it is nonsense: not above 0, or longer than 10 s.
std::optional<double> usable_latency(double seconds);

/// Frames of the latency that the driver tells of, both ways, where it tells of both.
std::optional<double> claimed_frames(const LoopbackRun& run);

struct LoopbackVerdict {
  bool usable = false;
  std::vector<std::string> reasons;  // why it is not; or what is to be known, though it is
};
LoopbackVerdict loopback_verdict(const LoopbackRun& run);

/// The least drift that these repeats would have shown, in parts of a million: three standard
/// errors of it, and a hundredth of a frame in all. None where drift_ppm is none.
std::optional<double> least_drift_ppm(const LoopbackRun& run);
/// Whether the drift is larger than that.
bool has_drift(const LoopbackRun& run);

/// Places behind the point that frames are told with: no more than the repeats agree on, three at
/// most.
int frame_decimals(const RoundTrip& trip);

nlohmann::ordered_json loopback_report(const LoopbackRun& run);

}  // namespace firbank::program
