#include "demos/firbank/bench/throughput/throughput_row.hpp"

namespace firbank::program {

std::size_t NamedRow::filters() const {
  return wiring == "matrix" ? inputs * outputs : outputs / (wiring == "bank" ? inputs : 1);
}

Routing NamedRow::routing() const {
  if (wiring == "matrix") return Routing::matrix(inputs, outputs, filters());
  return wiring == "bank" ? Routing::bank(inputs, filters()) : Routing::rows(inputs, filters());
}

const std::vector<NamedRow>& named_rows() {
  static const std::vector<NamedRow> rows = {
      {.name = "channel",
       .what = "one channel of 2048 taps, blocks of 32",
       .wiring = "rows",
       .taps = 2'048,
       .block_frames = 32},
      {.name = "reverb",
       .what = "2 channels of 480000 taps, blocks of 64",
       .wiring = "rows",
       .inputs = 2,
       .outputs = 2,
       .taps = 480'000,
       .block_frames = 64},
      {.name = "probe",
       .what = "384 channels of 512 taps at 30 kHz, blocks of 32",
       .wiring = "rows",
       .inputs = 384,
       .outputs = 384,
       .taps = 512,
       .sample_rate_hz = 30'000,
       .block_frames = 32},
      {.name = "matrix",
       .what = "16 x 16 filters of 8192 taps, blocks of 128",
       .wiring = "matrix",
       .inputs = 16,
       .outputs = 16,
       .taps = 8'192,
       .block_frames = 128},
      {.name = "bank",
       .what = "1000 filters of 1024 taps on one input, blocks of 256",
       .wiring = "bank",
       .outputs = 1'000,
       .taps = 1'024,
       .block_frames = 256},
      {.name = "files",
       .what = "16 channels of 8191 taps, offline",
       .wiring = "rows",
       .inputs = 16,
       .outputs = 16,
       .taps = 8'191,
       .goal = PlanGoal::kOffline}};
  return rows;
}

}  // namespace firbank::program
