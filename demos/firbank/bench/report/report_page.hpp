// A report of `firbank bench` or `firbank doctor` as a page for a browser and for paper: one file
// that needs no other and no network. The report lies in it whole, as JSON; the page's own script
// draws it.
//
// Thread:   any.
// Realtime: no.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace firbank::program {

/// Takes any report: of a field that is missing, or is not what it should be, the page says so. No
/// text in it can end the place where it stands, or become a part of the page.
std::string html_report(const nlohmann::ordered_json& report);

}  // namespace firbank::program
