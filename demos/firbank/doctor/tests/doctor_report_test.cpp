#include "demos/firbank/doctor/doctor_report.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

Examination invented() {
  Examination examination;
  examination.seconds = 15.7;
  examination.reasons = {"other programs had 20% of the processors' time meanwhile"};
  Reading costs("timer_slack", "timer slack");
  costs = std::move(costs).costs(
      "50 us",
      "a change that takes many words to be told, so many that they do not fit into one line of "
      "the table, and are wrapped therefore");
  Trial trial;
  trial.text = {"wake-up", "slack of 50 us", "slack of 1 ns"};
  trial.count = 1740;
  trial.median = {0.5, 61.4, 5.12, 2, 0.3, true};
  trial.p99 = TrialFigure{0.99, 120, 130, 30, 40, false};
  costs.trial = trial;
  Reading good("huge_pages", "huge pages");
  good.advice = "none is wanted";
  good.trial = trial;
  examination.readings = {std::move(costs), Reading("load", "load"),
                          std::move(good).good("madvise")};
  return examination;
}

TEST(Report, TellsCostsWithChangesAndTheRestInALine) {
  const std::string text = describe(invented());
  EXPECT_THAT(text, HasSubstr("1 thing costs latency on this machine, of 3 looked at (15.7 s)\n"));
  EXPECT_THAT(text, HasSubstr("Note: other programs had 20%"));
  EXPECT_THAT(text, HasSubstr("\nCosts\n  timer slack                 50 us\n    change  "));
  EXPECT_THAT(text, HasSubstr("(median and 99th percentile of 1740 each); no difference shown\n"));
  EXPECT_THAT(text, HasSubstr("      61 us, 120 us (slack of 50 us)\n"));
  EXPECT_THAT(text, HasSubstr("      5.1 us, 130 us (slack of 1 ns)\n"));
  EXPECT_THAT(text,
              HasSubstr("\nNot known\n  load                        it cannot be read here\n"));
  EXPECT_THAT(text, HasSubstr("\nGood\n  huge pages                  madvise\n"));
  EXPECT_THAT(text, Not(HasSubstr("none is wanted")));
  EXPECT_THAT(text, Not(HasSubstr("Not there")));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Report, HasTheShapeOfItsSchema) {
  ordered_json report;
  add_to_report(invented(), ExaminationPlan(), report);
  EXPECT_EQ(report["setting"]["repeats"], 6);
  ASSERT_EQ(report["readings"].size(), 3u);
  const ordered_json& costs = report["readings"][0];
  EXPECT_EQ(costs["name"], "timer_slack");
  EXPECT_EQ(costs["title"], "timer slack");
  EXPECT_EQ(costs["reading"], "50 us");
  EXPECT_EQ(costs["state"], "costs");
  EXPECT_THAT(costs["advice"].get<std::string>(), HasSubstr("a change"));
  const ordered_json& trial = costs["trial"];
  EXPECT_EQ(trial["what"], "wake-up");
  EXPECT_EQ(trial["unit"], "us");
  EXPECT_EQ(trial["quantile"], 0.5);  // of the one that shows a difference
  EXPECT_EQ(trial["as_it_is"], 61.4);
  EXPECT_EQ(trial["changed"], 5.12);
  EXPECT_EQ(trial["quantiles"].size(), 2u);
  EXPECT_EQ(report["readings"][1]["state"], "unknown");
  EXPECT_TRUE(report["readings"][1]["trial"].is_null());
  EXPECT_TRUE(report["readings"][2]["advice"].is_null());
  EXPECT_EQ(report["verdict"]["usable"], true);
  EXPECT_EQ(report["verdict"]["reasons"].size(), 1u);
  EXPECT_EQ(report["headline"]["value"], 1);
  EXPECT_EQ(report["headline"]["better"], "less");
}

}  // namespace
}  // namespace firbank::program
