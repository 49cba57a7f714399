// MachineFloor: what one core of this machine can do at most, and how much two do together.
#pragma once

#include "kernels/cpu/machine_ceilings.hpp"

namespace peers {

struct MachineFloor {
  firbank::MachineCeilings one;  // by its processor time, which others do not touch
  firbank::MachineCeilings two;  // by the wall clock

  /// Both, each through as many bytes of its own, in times one.
  double two_thread_reads(double bytes) const {
    return two.read_bytes_per_second(2 * bytes) / one.read_bytes_per_second(bytes);
  }
  double two_thread_flops() const { return two.peak_flops_per_second / one.peak_flops_per_second; }
};

/// Takes several seconds; `quick` measures a few sizes badly.
inline MachineFloor measure_machine(bool quick) {
  using firbank::CeilingClock;
  const firbank::InstructionSet set = firbank::best_instruction_set();
  firbank::CeilingEffort effort{.rounds = 15, .seconds = 0.005};
  if (quick) effort = {.rounds = 1, .seconds = 0.002, .most_bytes = std::size_t{4} << 20};
  MachineFloor floor;
  floor.one = firbank::measure_ceilings<float>(set, effort);
  // A second core is not always free.
  effort.rounds *= 3;
  effort.threads = 2;
  effort.clock = CeilingClock::kWall;
  effort.most_bytes *= 2;
  floor.two = firbank::measure_ceilings<float>(set, effort);
  return floor;
}

}  // namespace peers
