// What the monitor's fuzzers share: their seeds, which the drivers in tests/fuzz run and change a
// little, and the way a broken rule ends a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace firbank::fuzz {

/// Inputs that are worth changing a little.
std::vector<std::string> seeds();

/// Ends the run, which the driver reports together with the input.
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

/// Takes what is before the first `end` off `text`, and the `end` too; all of it where there is
/// none.
inline std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return piece;
}

}  // namespace firbank::fuzz
