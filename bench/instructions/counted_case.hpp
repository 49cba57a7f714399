// CountedCase: a piece of the running path whose instructions are counted, and what sets it up.
//
// A case is made, runs its warm-up, and then its counted steps, all in one thread. Nothing of what
// it does may depend on a clock, on the machine's caches or on another thread: the same build then
// executes the same instructions on every machine.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank::bench {

/// A case that has been set up.
struct CountedRun {
  std::function<void()> step;  // allocates nothing
  std::size_t warm_up = 8;     // steps until all that follow are alike, or repeat in a cycle
  std::size_t steps = 32;      // that are counted: whole cycles
  std::string plan = {};       // of an engine
};

struct CountedCase {
  std::string name;  // "transform-4096"
  std::string unit;  // what a step is: "4,096 samples there and back"
  std::function<CountedRun(InstructionSet)> make;
};

std::vector<CountedCase> kernel_cases();
std::vector<CountedCase> engine_cases();
std::vector<CountedCase> io_cases();
std::vector<CountedCase> stage_cases();

}  // namespace firbank::bench
