// The paths of the files that a page names, for a look at whether they are there.
#pragma once

#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace firbank::program {

inline std::vector<std::string> named_files(const std::string& page) {
  static const std::regex named("(?:href|src)=\"([a-z.]+)\"");
  std::vector<std::string> paths;
  for (std::sregex_iterator at(page.begin(), page.end(), named), end; at != end; ++at) {
    paths.push_back(fmt::format("/{}", (*at)[1].str()));
  }
  return paths;
}

}  // namespace firbank::program
