// Throughput: that outputs are proven, that what is timed is what is counted, and what the figures
// make of it.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/noise_filters.hpp"
#include "demos/firbank/bench/throughput/throughput_figures.hpp"
#include "demos/firbank/bench/throughput/throughput_report.hpp"
#include "demos/firbank/bench/throughput/throughput_run.hpp"

namespace firbank::program {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool never() {
  return false;
}
void untold(double) {}

ThroughputRow row_of(const std::string& wiring, Routing routing, std::size_t filters,
                     std::size_t taps) {
  ThroughputRow row{.name = wiring,
                    .wiring = wiring,
                    .bank = noise_filters(filters, taps),
                    .routing = std::move(routing),
                    .config = {}};
  row.config.block_frames = 64;
  return row;
}

std::vector<ThroughputRow> some_rows() {
  std::vector<ThroughputRow> rows = {row_of("rows", Routing::rows(3, 3), 3, 9'000),
                                     row_of("bank", Routing::bank(2, 40), 40, 700),
                                     row_of("matrix", Routing::matrix(2, 3, 6), 6, 2'000),
                                     row_of("short", Routing::rows(1, 1), 1, 1)};
  rows.push_back(rows[0]);
  rows.back().double_precision = true;
  rows.push_back(rows[1]);
  rows.back().config.spectra = Spectra::kInt16;
  rows.push_back(rows[0]);
  rows.back().config.goal = PlanGoal::kOffline;
  rows.push_back(rows[1]);
  rows.back().config.depth_blocks = 3;  // by submit() and collect()
  return rows;
}

/// The same bank but for one tap of one filter.
FilterBank changed(const FilterBank& bank, std::size_t filter, std::size_t tap) {
  std::vector<std::vector<double>> filters;
  for (std::size_t f = 0; f < bank.size(); ++f) {
    filters.emplace_back(bank.taps(f).begin(), bank.taps(f).end());
  }
  filters[filter][tap] += 0.5 / std::sqrt(static_cast<double>(bank.taps(filter).size()));
  return FilterBank(std::move(filters));
}

TEST(ThroughputTrial, FindsEngineRightAndEveryChangedTapWrong) {
  for (const ThroughputRow& row : some_rows()) {
    SCOPED_TRACE(row.name + ", " + row.precision() + ", " + row.goal());
    EXPECT_LE(make_throughput_trial(row, never)->error_against(row.bank), error_limit(row));
    const std::size_t last = row.bank.longest() - 1;
    for (const std::size_t tap : {std::size_t{0}, last / 2, last}) {
      EXPECT_GT(make_throughput_trial(row, never)->error_against(changed(row.bank, 0, tap)),
                10 * error_limit(row))
          << "tap " << tap;
    }
  }
}

TEST(ThroughputTrial, TimesWholeCyclesOfThePlan) {
  for (const ThroughputRow& row : some_rows()) {
    SCOPED_TRACE(row.name + ", " + row.precision() + ", " + row.goal());
    const auto trial = make_throughput_trial(row, never);
    trial->warm_up(0.005);
    EXPECT_GE(trial->warm_up_frames(), row.bank.longest());
    for (int n = 0; n < 2; ++n) {
      const Stretch stretch = trial->measure();
      EXPECT_GT(stretch.frames, 0);
      EXPECT_EQ(std::fmod(stretch.frames, static_cast<double>(trial->plan().cycle_frames())), 0);
      EXPECT_EQ(trial->plan().cycle_frames() % trial->call_frames(), 0u);
      EXPECT_GT(stretch.processor_s, 0);
      EXPECT_GT(stretch.clock_s, 0);
    }
  }
}

TEST(ThroughputRun, MeasuresEveryRowBesideTheCeilings) {
  const std::vector<ThroughputRow> rows = {row_of("a", Routing::rows(2, 2), 2, 1'000),
                                           row_of("b", Routing::bank(1, 32), 32, 500)};
  std::vector<double> told;
  const ThroughputReport report = run_throughput(rows, {.seconds = 0.02, .repeats = 4}, never,
                                                 [&](double done) { told.push_back(done); });
  EXPECT_FALSE(report.interrupted);
  EXPECT_FALSE(report.wrong);
  ASSERT_TRUE(report.ceilings);
  EXPECT_EQ(report.ceilings->threads, 1u);
  ASSERT_EQ(report.results.size(), 2u);
  for (const ThroughputResult& result : report.results) {
    EXPECT_TRUE(result.on_cpu);
    EXPECT_EQ(result.stretches.size(), 4u);
    EXPECT_GT(result.warm_up_frames, 0u);
    const ThroughputFigures figures = throughput_figures(result, report.ceilings);
    ASSERT_TRUE(figures.roof);
    // A plan cannot be computed faster than a processor computes.
    EXPECT_GT(figures.roof->share_of_peak, 0);
    EXPECT_LT(figures.roof->share_of_peak, 1.2);
    EXPECT_LT(figures.roof->share_of_bandwidth, 1.2);
  }
  EXPECT_EQ(report.results[0].taps, 2'000);
  EXPECT_EQ(report.results[1].taps, 16'000);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_NEAR(told.back(), 1, 1e-9);
}

TEST(ThroughputRun, TimesNothingThatIsWrong) {
  // Two edges that all but cancel: what is left is rounding.
  const std::vector<Edge> edges = {{0, 0, 0, 1.0, 0}, {0, 1, 0, -1.0, 0}};
  ThroughputRow row = row_of("cancels", Routing(1, 1, edges), 1, 500);
  std::vector<double> taps(row.bank.taps(0).begin(), row.bank.taps(0).end());
  std::vector<double> almost = taps;
  for (double& tap : almost) tap *= 1 + 1e-6;
  row.bank = FilterBank({taps, almost});
  const ThroughputReport report = run_throughput({row}, {}, never, untold);
  ASSERT_TRUE(report.wrong);
  EXPECT_EQ(report.wrong->row, "cancels");
  EXPECT_GT(report.wrong->error, report.wrong->limit);
  EXPECT_EQ(report.wrong->limit, 1e-6);
  EXPECT_TRUE(report.results[0].stretches.empty());
}

TEST(ThroughputRun, EndsWhenItIsStopped) {
  const std::vector<ThroughputRow> rows = some_rows();
  for (const int looks : {0, 1, 2, 5, 25, 125, 625}) {
    int left = looks;
    const ThroughputReport report = run_throughput(
        {rows[0], rows[1]}, {.seconds = 3'600, .repeats = 3}, [&] { return left-- <= 0; }, untold);
    EXPECT_TRUE(report.interrupted);
    EXPECT_FALSE(report.wrong);
    EXPECT_FALSE(report.has_figures());
  }
}

/// Made up: 1,000 taps at 1 kHz, 200 flops and 100 bytes a frame, at the given frames a second.
ThroughputReport made_up(const std::vector<double>& frames_per_s, bool on_cpu = true) {
  ThroughputReport report;
  ThroughputResult& result = report.results.emplace_back(
      ThroughputResult{.row = row_of("rows", Routing::rows(1, 1), 1, 1'000),
                       .backend = on_cpu ? "cpu-avx2" : "cuda:0",
                       .instruction_set = "",
                       .on_cpu = on_cpu,
                       .plan = {},
                       .floor = {200, {{40, 1'000}, {60, 4'000}}},
                       .call_frames = 64,
                       .warm_up_frames = 5'000,
                       .error = 1e-7,
                       .taps = 1'000,
                       .stretches = {}});
  result.plan.kind = PlanKind::kDirect;
  result.row.config.sample_rate_hz = 1'000;
  for (const double rate : frames_per_s) {
    const double seconds = 1e6 / rate;
    result.stretches.push_back(on_cpu ? Stretch{1e6, seconds, 2 * seconds}
                                      : Stretch{1e6, seconds / 2, seconds});
  }
  if (on_cpu) {
    report.ceilings.emplace();
    report.ceilings->peak_flops_per_second = 8e8;
    report.ceilings->reads = {{1'000, 4e8}, {4'000, 1e8}};
  }
  return report;
}

TEST(ThroughputFigures, AreOfTheStretchInTheMiddle) {
  const ThroughputReport report = made_up({1.1e6, 0.5e6, 1.0e6, 0.9e6, 3.0e6});
  const ThroughputFigures figures = throughput_figures(report.results[0], report.ceilings);
  EXPECT_DOUBLE_EQ(figures.median.processor_s, 1);
  EXPECT_NEAR(figures.spread, 0.2, 1e-9) << "from 0.9 to 1.1";
  EXPECT_DOUBLE_EQ(figures.sample_taps_per_s, 1e9);
  EXPECT_DOUBLE_EQ(figures.times_realtime, 1'000);
  EXPECT_DOUBLE_EQ(figures.clock_times_realtime, 500);
  EXPECT_DOUBLE_EQ(figures.flops_per_s, 2e8);
  EXPECT_DOUBLE_EQ(figures.bytes_per_s, 1e8);
  EXPECT_DOUBLE_EQ(figures.working_set_bytes, 4'000);
  // A frame takes 0.25 us of arithmetic, and 0.1 + 0.6 us of reading.
  ASSERT_TRUE(figures.roof);
  EXPECT_NEAR(figures.roof->share_of_peak, 0.25, 1e-9);
  EXPECT_NEAR(figures.roof->share_of_bandwidth, 0.7, 1e-9);
  EXPECT_TRUE(figures.roof->bound_by_reads);
  EXPECT_NEAR(figures.roof->flops_per_s, 200 / 0.7e-6, 1);
  EXPECT_NEAR(*throughput_headline(report), 1e9, 1);
}

TEST(ThroughputFigures, SayWhatCannotBeJudged) {
  EXPECT_THAT(throughput_doubts(made_up({1e6, 1.01e6, 1.02e6})), IsEmpty());
  EXPECT_THAT(throughput_doubts(made_up({0.8e6, 1e6, 1.2e6})),
              ElementsAre(HasSubstr("the middle half of its repeats differ by 20%")));
  EXPECT_THAT(throughput_doubts(made_up({2e6, 2e6, 2e6})),
              ElementsAre(HasSubstr("above the ceilings")));
  ThroughputReport report = made_up({1e6, 1e6, 1e6});
  report.interrupted = true;
  EXPECT_THAT(throughput_doubts(report), ElementsAre("it was interrupted"));
}

TEST(ThroughputReport, GivesADeviceTheClockAndNoRoof) {
  const nlohmann::ordered_json json = throughput_json(made_up({1e6, 1e6, 1e6}, false));
  EXPECT_TRUE(json.at("ceilings").at("peak_flops_per_s").is_null());
  EXPECT_TRUE(json.at("ceilings").at("reads").empty());
  const nlohmann::ordered_json& row = json.at("rows").at(0);
  EXPECT_EQ(row.at("counted"), "clock, back to back");
  EXPECT_EQ(row.at("clock_s"), 1);
  EXPECT_EQ(row.at("sample_taps_per_s"), 1e9);
  EXPECT_EQ(row.at("bus_bytes_per_s"), 4e7) << "the samples alone";
  for (const char* name : {"roof_flops_per_s", "share_of_peak", "share_of_bandwidth", "bound_by"}) {
    EXPECT_TRUE(row.at(name).is_null()) << name;
  }
}

TEST(ThroughputReport, HasALineARowInCsv) {
  nlohmann::ordered_json json;
  json["rows"] = {{{"name", "a"}, {"setting", {{"taps", 7}}}, {"plan", "1 of 64, \"2\" of 128"}},
                  {{"name", "b"}, {"setting", {{"taps", 0.5}}}, {"plan", nullptr}}};
  EXPECT_EQ(throughput_csv(json),
            "name,setting.taps,plan\na,7,\"1 of 64, \"\"2\"\" of 128\"\nb,0.5,\n");
}

TEST(ThroughputRows, AreWhatTheirNamesSay) {
  for (const NamedRow& row : named_rows()) {
    const Routing routing = row.routing();
    EXPECT_EQ(routing.inputs(), row.inputs) << row.name;
    EXPECT_EQ(routing.outputs(), row.outputs) << row.name;
    EXPECT_THAT(row.what, HasSubstr(std::to_string(row.taps) + " taps"));
  }
  const FilterBank bank = noise_filters(3, 5);
  EXPECT_EQ(bank.size(), 3u);
  EXPECT_EQ(bank.shortest(), 5u);
  EXPECT_NE(bank.taps(0)[0], bank.taps(1)[0]);
}

}  // namespace
}  // namespace firbank::program
