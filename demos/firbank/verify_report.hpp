// What verify found, and what it makes of it: lines for people, JSON, and the exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/verify_run.hpp"

namespace firbank::program {

struct VerifyOutcome {
  VerifyCase what;
  double error = 0;

  bool passed() const { return error <= what.error_limit(); }  // false for NaN
};

/// "cpu-avx2  AVX2  float  process  1.23e-07  1e-06  pass", below table_head().
std::string table_line(const VerifyOutcome& outcome);
std::string table_head();

/// An array with one object for each outcome.
nlohmann::ordered_json to_json(const std::vector<VerifyOutcome>& outcomes);

struct VerifyVerdict {
  ExitCode exit_code = kExitDone;
  std::string failures;  // one line; empty when all passed
};

VerifyVerdict verdict(const std::vector<VerifyOutcome>& outcomes, std::uint64_t seed);

}  // namespace firbank::program
