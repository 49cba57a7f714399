// Text from outside, made fit for a message of one line.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace firbank {

/// `text` with control characters as \xNN, cut after 60 characters.
inline std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string result;
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  if (text.size() > kMost) result += "...";
  return result;
}

}  // namespace firbank
