// Text from outside, made fit for a message of one line.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace firbank {

/// `text` with control characters as \xNN.
inline std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

/// The same, cut after 60 characters.
inline std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 60;
  return printable(text.substr(0, kMost)) + (text.size() > kMost ? "..." : "");
}

}  // namespace firbank
