// Two reports of latency that were measured apart: whether they can be compared, and the figures
// that are.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/bench/compare/bootstrap.hpp"
#include "demos/firbank/bench/compare/compare_report.hpp"

namespace firbank::program {

/// Fills `results`, or `reasons` where machine, stream or the machines' own jitter differ too much:
/// then it is not comparable. Throws: Error (kInput), naming the file, for what is no report of
/// latency.
CompareReport compare_reports(const std::string& a_path, const std::string& b_path,
                              double confidence, double least_change);

}  // namespace firbank::program
