// ServeFacts: what stays as it is while `firbank serve` runs, as its monitor shows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/acquisition/acquisition_stream.hpp"
#include "engine/config/run_config.hpp"

namespace firbank::program {

struct ServeFacts {
  std::vector<std::string> outputs;  // names of the channels
  bool is_in_rows = false;           // each output is of the input of its number alone
  std::size_t decimation = 1;
  std::vector<std::int64_t> delay_frames;  // of the samples of each output, in frames of the input
  std::size_t block_frames = 0;
  std::string plan;
  std::string reference;  // "median"; empty: none
  std::string envelope;   // "rms over 20 ms"; empty: none
  std::string detection;  // "falls below -4.2 times the noise"; empty: no events
};

/// Of a configuration with `serve`, and the stream that was made of it and one of its presets.
ServeFacts serve_facts(const RunConfig& config, std::size_t preset,
                       const AcquisitionStream& stream);

}  // namespace firbank::program
