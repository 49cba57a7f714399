#include "demos/firbank/verify_report.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace firbank::program {

VerifyTable::VerifyTable(const std::vector<VerifyCase>& cases,
                         const std::vector<BackendInfo>& backends)
    : backend_width_(std::string_view("backend").size()),
      instructions_width_(std::string_view("instructions").size()),
      way_width_(std::string_view("way").size()) {
  for (const BackendInfo& backend : backends) {
    backend_width_ = std::max(backend_width_, backend.name.size());
    instructions_width_ = std::max(instructions_width_, backend.instruction_set.size());
  }
  for (const VerifyCase& one : cases) {
    backend_width_ = std::max(backend_width_, one.backend.size());
    instructions_width_ = std::max(instructions_width_, one.instruction_set.size());
    way_width_ = std::max(way_width_, std::string_view(one.way()).size());
  }
}

std::string VerifyTable::head() const {
  return fmt::format("{:<{}}  {:<{}}  {:<9}  {:<7}  {:<{}}  {:<11}  {:<8}  {}", "backend",
                     backend_width_, "instructions", instructions_width_, "precision", "spectra",
                     "way", way_width_, "worst error", "limit", "result");
}

std::string VerifyTable::line(const VerifyOutcome& outcome) const {
  const VerifyCase& what = outcome.what;
  return fmt::format("{:<{}}  {:<{}}  {:<9}  {:<7}  {:<{}}  {:<11.2e}  {:<8.3g}  {}", what.backend,
                     backend_width_, what.instruction_set, instructions_width_, what.precision(),
                     what.spectra(), what.way(), way_width_, outcome.error, what.error_limit(),
                     outcome.passed() ? "pass" : "FAIL");
}

std::string VerifyTable::line(const BackendInfo& backend) const {
  return fmt::format("{:<{}}  {:<{}}  not run: {}", backend.name, backend_width_,
                     backend.instruction_set, instructions_width_, backend.reason);
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
