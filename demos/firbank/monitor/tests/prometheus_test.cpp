#include "demos/firbank/monitor/prometheus.hpp"

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/monitor/tests/monitor_rig.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

// The format: https://prometheus.io/docs/instrumenting/exposition_formats/
TEST(Prometheus, KeepsTheFormat) {
  const MonitorRig rig;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::istringstream lines(prometheus_text(rig.session, rig.facts()));
  const std::regex help("# HELP (firbank_[a-z0-9_]+) \\S.*\\.");
  const std::regex type("# TYPE (firbank_[a-z0-9_]+) (counter|gauge|histogram)");
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
      EXPECT_EQ(match[2].matched, types[family] == "histogram") << line;
      const std::string name_and_labels = line.substr(0, line.rfind(' '));
      EXPECT_TRUE(seen.insert(name_and_labels).second) << "twice: " << line;
    } else {
      ADD_FAILURE() << "not of the format: " << line;
    }
  }
  EXPECT_GT(types.size(), 25u);
}

TEST(Prometheus, CountsUpwardsInItsHistogram) {
  const MonitorRig rig;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::istringstream lines(prometheus_text(rig.session, rig.facts()));
  double last = 0;
  double infinite = -1;
  double count = -2;
  int buckets = 0;
  for (std::string line; std::getline(lines, line);) {
    const double value = std::strtod(line.c_str() + line.rfind(' '), nullptr);
    if (line.starts_with("firbank_call_load_ratio_bucket")) {
      EXPECT_GE(value, last) << line;
      last = value;
      ++buckets;
      if (line.find("+Inf") != line.npos) infinite = value;
    }
    if (line.starts_with("firbank_call_load_ratio_count")) count = value;
  }
  EXPECT_GT(buckets, 10);
  EXPECT_EQ(infinite, count);
  EXPECT_GT(count, 0);
}

TEST(Prometheus, EscapesNames) {
  const MonitorRig rig;
  EXPECT_THAT(prometheus_text(rig.session, rig.facts()),
              HasSubstr(R"(firbank_filter_info{number="3",filter="a \"b\"\n\\c"} 0)"));
}

}  // namespace
}  // namespace firbank::program
