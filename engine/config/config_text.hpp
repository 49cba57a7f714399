// What the readers of configurations as text have in common: words, numbers and places.
//
// Any thread; pure. Independent of the locale: the decimal sign is a point.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace firbank {

/// Without blanks at both ends.
std::string_view trimmed(std::string_view text);

/// The lines of a text, without line ends and a byte order mark.
std::vector<std::string_view> lines_of(std::string_view text);

/// Takes the first word off `text`; empty when there is none.
std::string_view take_word(std::string_view& text);

/// The whole text as a finite number, or as a whole number; a sign may be '+'.
std::optional<double> parse_number(std::string_view text);
std::optional<std::size_t> parse_count(std::string_view text);

/// Whether they are the same but for the case of ASCII letters.
bool same_word(std::string_view a, std::string_view b);

/// "hall.conf, line 3".
std::string line_place(const std::string& path, std::size_t line);

/// Throws Error (kConfiguration): "PLACE: WHAT".
[[noreturn]] void refuse_config(const std::string& place, const std::string& what);

/// `path` as it is meant in a file that lies in `folder`.
std::string path_from(const std::string& folder, std::string_view path);

/// The folder of a file; "" for the current one.
std::string folder_of(const std::string& path);

}  // namespace firbank
