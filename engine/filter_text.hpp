// Filters as text: one number a line.
//
// Any thread; pure. Independent of the locale: the decimal sign is a point.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace firbank {

/// The taps in `text`, one a line. Blank lines, and everything from a '#' on, are skipped; lines
/// may end in CR LF. A number too small for a double is taken as the nearest that it has. `name` is
/// what error messages call the text, usually its file. Throws: Error (kInput) naming the line and
/// its text when it is not one finite number, or when there is no number at all.
std::vector<double> parse_filter_text(std::string_view text, const std::string& name);

}  // namespace firbank
