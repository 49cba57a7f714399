// Examination: all readings of a machine, with the trials that can be made without changing it.
//
// Thread:   one.
// Realtime: no.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/reading.hpp"
#include "demos/firbank/doctor/trial.hpp"

namespace firbank::program {

struct ExaminationPlan {
  SystemFiles files;
  TrialRules rules;                                        // of each trial
  std::function<void(std::size_t, std::size_t)> progress;  // repeats made, and to be made
};

struct Examination {
  /// What costs first, the dearest before the others; then what is not known, not there, and good.
  std::vector<Reading> readings;
  bool usable = true;
  std::vector<std::string> reasons;  // what casts doubt on the trials
  double seconds = 0;
};

/// About 16 seconds with the rules as they are unless changed. A trial that `rules.stopped` breaks
/// off is left out, and so are those after it.
Examination examine(const ExaminationPlan& plan);

/// A trial decides of what its reading cannot: where the change is worth it, it costs, and where it
/// was tried and is not, it does not.
void let_trial_decide(Reading& reading);

/// In the order of Examination::readings.
void sort_readings(std::vector<Reading>& readings);

}  // namespace firbank::program
