#include "demos/firbank/monitor/live_metrics.hpp"

#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/monitor/tests/metrics_format.hpp"
#include "demos/firbank/monitor/tests/monitor_rig.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

TEST(LiveMetrics, KeepTheFormat) {
  const MonitorRig rig;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_GT(check_metrics_format(live_metrics(rig.session, rig.facts())), 25u);
}

TEST(LiveMetrics, CountsUpwardsInItsHistogram) {
  const MonitorRig rig;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::istringstream lines(live_metrics(rig.session, rig.facts()));
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

TEST(LiveMetrics, EscapesNames) {
  const MonitorRig rig;
  EXPECT_THAT(live_metrics(rig.session, rig.facts()),
              HasSubstr(R"(firbank_filter_info{number="3",filter="a \"b\"\n\\c"} 0)"));
}

}  // namespace
}  // namespace firbank::program
