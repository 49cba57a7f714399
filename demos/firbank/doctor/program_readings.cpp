#include "demos/firbank/doctor/program_readings.hpp"

#include <vector>

#include "engine/engine.hpp"

namespace firbank::program {

Reading build_reading(const std::string& slow_because) {
  Reading reading("build", "this build of firbank");
  if (slow_because.empty()) return std::move(reading).good("optimised, without assertions");
  return std::move(reading).costs(
      slow_because, "build again with -DCMAKE_BUILD_TYPE=Release and without FIRBANK_SANITIZE");
}

bool engine_flushes_subnormals() {
  constexpr std::size_t kFrames = 64;
  const FilterBank bank({{0.5, 0.25}});
  Engine engine({.block_frames = kFrames}, bank, Routing::rows(1, 1));
  std::vector<float> samples(kFrames, 1e-39f);
  float* const planes[] = {samples.data()};
  engine.process(planes, planes, kFrames);
  for (const float sample : samples) {
    if (sample != 0) return false;
  }
  return true;
}

Reading subnormal_reading(bool flushed) {
  Reading reading("subnormals", "subnormal numbers");
  if (flushed) return std::move(reading).good("the engine flushes them to zero, as was tried here");
  return std::move(reading).costs(
      "the engine computes with them on this processor",
      "add a noise of -200 dB to an input that falls silent. Costs: nothing that is heard");
}

}  // namespace firbank::program
