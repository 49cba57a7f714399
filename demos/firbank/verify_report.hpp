// What verify found, and what it makes of it: lines for people, JSON, and the exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/verify_run.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {

struct VerifyOutcome {
  VerifyCase what;
  double error = 0;

  bool passed() const { return error <= what.error_limit(); }  // false for NaN
};

/// Lines of a table, whose columns are as wide as the names of what is run and of what is not.
class VerifyTable {
 public:
  VerifyTable(const std::vector<VerifyCase>& cases, const std::vector<BackendInfo>& backends);

  std::string head() const;
  /// "cpu-avx2  AVX2  float  full  process  1.23e-07  1e-06  pass".
  std::string line(const VerifyOutcome& outcome) const;
  /// Of one that cannot be run here.
  std::string line(const BackendInfo& backend) const;

 private:
  std::size_t backend_width_;
  std::size_t instructions_width_;
  std::size_t way_width_;
};

/// An array with one object for each outcome.
nlohmann::ordered_json to_json(const std::vector<VerifyOutcome>& outcomes);

struct VerifyVerdict {
  ExitCode exit_code = kExitDone;
  std::string failures;  // one line; empty when all passed
};

VerifyVerdict verdict(const std::vector<VerifyOutcome>& outcomes, std::uint64_t seed);

}  // namespace firbank::program
