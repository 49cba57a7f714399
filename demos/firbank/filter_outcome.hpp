// A run of filters with all that belongs to it on a command line: signals, the report as JSON and
// for people, and the exit code. What `firbank filter` and `firbank run` have in common.
#pragma once

#include "demos/firbank/filter_run.hpp"
#include "demos/firbank/json_report.hpp"

namespace firbank::program {

struct OutcomeOptions {
  bool quiet = false;   // no summary
  bool strict = false;  // missed deadlines are losses
};

/// Runs, and tells what came of it. Returns the exit code. Throws: Error, after which no output is
/// left.
int run_and_tell(const FilterSettings& settings, JsonReport& json, const OutcomeOptions& options);

}  // namespace firbank::program
