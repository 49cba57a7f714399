#include "demos/firbank/monitor/tests/metrics_format.hpp"

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace firbank::program {

std::size_t check_metrics_format(const std::string& text) {
  std::istringstream lines(text);
  const std::regex help("# HELP (firbank_[a-z0-9_]+) \\S.*\\.");
  const std::regex type("# TYPE (firbank_[a-z0-9_]+) (counter|gauge|histogram|summary)");
  const std::regex sample(
      R"re((firbank_[a-z0-9_]+?)(_bucket|_sum|_count)?(\{[a-z]+="([^"\\\n]|\\[\\"n])*"(,[a-z]+="([^"\\\n]|\\[\\"n])*")*\})? (-?[0-9.e+-]+))re");
  std::map<std::string, std::string> types;
  std::set<std::string> seen;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      family = match[1];
      EXPECT_EQ(types.count(family), 0u) << "twice: " << line;
    } else if (std::regex_match(line, match, type)) {
      EXPECT_EQ(match[1], family) << line;
      types[family] = match[2];
      EXPECT_EQ(family.ends_with("_total"), match[2] == "counter") << line;
    } else if (std::regex_match(line, match, sample)) {
      EXPECT_EQ(match[1], family) << line;
      const std::string suffix = match[2];
      if (types[family] == "histogram") {
        EXPECT_NE(suffix, "") << line;
      } else if (types[family] == "summary") {
        EXPECT_NE(suffix, "_bucket") << line;
        EXPECT_EQ(suffix.empty(), line.find("{quantile=") != line.npos) << line;
      } else {
        EXPECT_EQ(suffix, "") << line;
      }
      const std::string name_and_labels = line.substr(0, line.rfind(' '));
      EXPECT_TRUE(seen.insert(name_and_labels).second) << "twice: " << line;
    } else {
      ADD_FAILURE() << "not of the format: " << line;
    }
  }
  return types.size();
}

}  // namespace firbank::program
