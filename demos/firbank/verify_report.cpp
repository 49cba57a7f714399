#include "demos/firbank/verify_report.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace firbank::program {

std::string table_head() {
  return fmt::format("{:<14} {:<14} {:<10} {:<8} {:<17} {:<12} {:<8} {}", "backend", "instructions",
                     "precision", "spectra", "way", "worst error", "limit", "result");
}

std::string table_line(const VerifyOutcome& outcome) {
  const VerifyCase& what = outcome.what;
  return fmt::format("{:<14} {:<14} {:<10} {:<8} {:<17} {:<12.2e} {:<8.3g} {}", what.backend,
                     what.instruction_set, what.precision(), what.spectra(), what.way(),
                     outcome.error, what.error_limit(), outcome.passed() ? "pass" : "FAIL");
}

nlohmann::ordered_json to_json(const std::vector<VerifyOutcome>& outcomes) {
  auto cases = nlohmann::ordered_json::array();
  for (const VerifyOutcome& outcome : outcomes) {
    nlohmann::ordered_json one = {{"backend", outcome.what.backend},
                                  {"instruction_set", outcome.what.instruction_set},
                                  {"precision", outcome.what.precision()},
                                  {"spectra", outcome.what.spectra()},
                                  {"way", outcome.what.way()},
                                  {"error", nullptr},
                                  {"limit", outcome.what.error_limit()},
                                  {"passed", outcome.passed()}};
    if (std::isfinite(outcome.error)) one["error"] = outcome.error;
    cases.push_back(one);
  }
  return cases;
}

VerifyVerdict verdict(const std::vector<VerifyOutcome>& outcomes, std::uint64_t seed) {
  const auto failed = std::count_if(outcomes.begin(), outcomes.end(),
                                    [](const VerifyOutcome& outcome) { return !outcome.passed(); });
  if (failed == 0) return {};
  return {kExitLoss, fmt::format("{} of {} cases are further from the oracle than allowed, seed {}",
                                 failed, outcomes.size(), seed)};
}

}  // namespace firbank::program
