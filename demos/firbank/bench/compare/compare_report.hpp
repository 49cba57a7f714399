// CompareReport: what `firbank bench compare` found.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/compare/bootstrap.hpp"
#include "demos/firbank/bench/compare/comparison.hpp"

namespace firbank::program {

/// One figure of a program or report over that of the first one.
struct ComparedFigure {
  std::string figure;
  std::string program;
  double baseline_value = 0;  // medians
  double value = 0;
  RatioInterval interval;
  ComparisonVerdict verdict = ComparisonVerdict::kNoDifferenceShown;
};

struct CompareReport {
  std::string mode;                    // interleaved or reports
  std::vector<std::string> programs;   // the first one is what the others are compared with
  std::vector<std::string> arguments;  // that each program was given; none of reports
  double confidence = 0.99;
  double least_change = 0.01;
  std::string figure;  // of `rounds`
  bool more_is_better = false;
  std::vector<std::vector<double>> rounds;  // values of each program; none of reports
  std::vector<ComparedFigure> results;
  std::vector<std::string> reasons;
  bool comparable = true;

  bool has_slower() const;
};

nlohmann::ordered_json to_json(const CompareReport& report);
void print(const CompareReport& report);

}  // namespace firbank::program
