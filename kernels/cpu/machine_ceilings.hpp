// MachineCeilings: what the processors of this machine can do at most, measured: how fast they read
// what they go through in turn, by its size, and how many multiply-adds they make. Nothing that
// computes can be faster; what comes near is limited by it. The memory lies as that of spectra
// does, in huge pages where the system grants them (kernels/aligned_vector.hpp).
//
// Thread: any; measuring is set-up, with nothing else to do meanwhile.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

struct ReadCeiling {
  double bytes = 0;             // gone through in turn, of all threads together
  double bytes_per_second = 0;  // likewise
};

struct MachineCeilings {
  InstructionSet instruction_set = InstructionSet::kScalar;
  std::size_t sample_bytes = sizeof(float);
  std::size_t threads = 1;           // at work at a time, each with its own memory
  std::vector<ReadCeiling> reads;    // by size, rising
  double peak_flops_per_second = 0;  // of all threads together; a multiply-add is two

  /// Between the sizes that were measured, on a logarithmic scale; beyond them as at their ends.
  double read_bytes_per_second(double bytes) const;
};

/// What the rates are of.
enum class CeilingClock {
  kProcessor,  // each thread's own processor time: others do not touch it
  kWall,       // the time that passes: what several threads reach together where they can run
};

/// How long to measure. A ceiling is the best of some rounds, each of which visits all sizes and
/// is short, so that some escape what else the machine does.
struct CeilingEffort {
  std::size_t threads = 1;
  CeilingClock clock = CeilingClock::kProcessor;
  std::size_t rounds = 9;
  double seconds = 0.003;                           // of each size, and of multiply-adds, a round
  std::size_t most_bytes = std::size_t{256} << 20;  // of memory, of all threads together
};

/// Takes about rounds x 16 x seconds, twice that with what warms up. `progress` is told the share
/// that is done, 0 to 1. `Sample` is float or double; the processor must support `set`.
///
/// Realtime: no.
/// Throws:   std::bad_alloc; std::system_error when a thread cannot be started.
template <class Sample>
MachineCeilings measure_ceilings(InstructionSet set, const CeilingEffort& effort = {},
                                 const std::function<void(double done)>& progress = {});

extern template MachineCeilings measure_ceilings<float>(InstructionSet, const CeilingEffort&,
                                                        const std::function<void(double)>&);
extern template MachineCeilings measure_ceilings<double>(InstructionSet, const CeilingEffort&,
                                                         const std::function<void(double)>&);

}  // namespace firbank
