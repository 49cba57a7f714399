// Reports that were kept as JSON, and what a few words can tell of one.
//
// Thread:   any.
// Realtime: no.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace firbank::program {

/// The report in a file; "-" is standard input. Throws: Error (kInput) naming the file where it
/// cannot be read or is no JSON, and where it is no report whose schema this program knows.
nlohmann::ordered_json read_report(const std::string& path);

/// "latency", "capacity" and so on, by the schema of a report that read_report() gave.
std::string report_kind(const nlohmann::ordered_json& report);

/// "99th percentile, end to end: 123 us (less is better)"; empty where the report has no headline.
std::string headline_text(const nlohmann::ordered_json& report);

/// "usable", or "not usable: ..." with the reasons; empty where the report does not tell.
std::string verdict_text(const nlohmann::ordered_json& report);

}  // namespace firbank::program
