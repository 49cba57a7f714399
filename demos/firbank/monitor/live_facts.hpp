// LiveFacts: what a monitor shows of a live run besides the session's own readings, as the run's
// loop knows it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace firbank::program {

struct LiveFacts {
  std::string input_device;
  std::string output_device;
  std::vector<std::string> filters;   // names of the choices
  std::size_t choice = 0;             // from 0 on
  std::vector<std::string> backends;  // names of those that there are
  bool device_is_there = false;
  std::size_t device_block_frames = 0;      // of the newest block
  double device_input_latency_seconds = 0;  // as the device tells
  double device_output_latency_seconds = 0;
};

}  // namespace firbank::program
