#include "demos/firbank/engine_options.hpp"

#include <algorithm>

#include "demos/firbank/checks.hpp"

namespace firbank::program {

void EngineOptions::add_to(CLI::App& command) {
  command.add_option("--block", block_frames, "Frames a block of a live run (256), 1 to 65536")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command.add_option("--threads", threads, "Threads that compute (1), 1 to 64")
      ->type_name("N")
      ->check(whole_number(1, 64));
}

void EngineOptions::add_choices_to(CLI::App& command) {
  command.add_option("--precision", precision, "Arithmetic: float (default) or double")
      ->type_name("float|double")
      ->check(one_of({"float", "double"}));
  command
      .add_option("--backend", backend,
                  "auto (default) or cpu: the best CPU backend here; cuda or\n"
                  "cuda:N: GPU N; or a name that 'firbank backends' lists")
      ->type_name("NAME");
  command
      .add_option("--depth", depth,
                  "Blocks that a backend may keep under way (0), 0 to 64: each\n"
                  "adds a block of latency, and lets a GPU work meanwhile")
      ->type_name("N")
      ->check(whole_number(0, 64));
}

EngineConfig EngineOptions::config(double sample_rate_hz, PlanGoal goal) const {
  EngineConfig config;
  config.sample_rate_hz = sample_rate_hz;
  config.block_frames = block_frames;
  config.threads = threads;
  config.backend = backend;
  config.depth_blocks = depth;
  config.ring_blocks = std::max(config.ring_blocks, depth + 1);
  config.goal = goal;
  return config;
}

}  // namespace firbank::program
