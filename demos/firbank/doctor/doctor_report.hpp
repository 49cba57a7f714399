// What `firbank doctor` found, for people and for programs.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "demos/firbank/doctor/examination.hpp"

namespace firbank::program {

/// Lines of at most 100 characters, where no word is longer: what costs, with what to change, and
/// the rest in a line each.
std::string describe(const Examination& examination);

/// "setting", "readings", "verdict" and "headline", behind what `report` has already.
void add_to_report(const Examination& examination, const ExaminationPlan& plan,
                   nlohmann::ordered_json& report);

}  // namespace firbank::program
