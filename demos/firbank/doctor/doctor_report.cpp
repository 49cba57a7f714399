#include "demos/firbank/doctor/doctor_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kWidth = 100;
constexpr std::size_t kTextColumn = 30;

/// `title` in its column and `text` in the next, wrapped between words.
std::string paragraph(std::size_t indent, const std::string& title, const std::string& text) {
  std::string line = fmt::format("{:{}}{:<{}}", "", indent, title, kTextColumn - indent);
  std::string lines;
  bool begins = true;
  for (const std::string_view word : words(text)) {
    if (!begins && line.size() + 1 + word.size() > kWidth) {
      lines += line + "\n";
      line.assign(kTextColumn, ' ');
      begins = true;
    }
    if (!begins) line += ' ';
    line += word;
    begins = false;
  }
  return lines + line + "\n";
}

std::string side(const Trial& trial, bool changed) {
  const auto of = [&](const TrialFigure& figure) {
    return changed ? rounded(figure.changed_us, figure.changed_spread_us)
                   : rounded(figure.as_it_is_us, figure.as_it_is_spread_us);
  };
  std::string text = of(trial.median) + " us";
  if (trial.p99) text += fmt::format(", {} us", of(*trial.p99));
  return fmt::format("{} ({})", text, changed ? trial.text.changed : trial.text.as_it_is);
}

std::string not_shown(const Trial& trial) {
  const bool in_median = trial.median.shown;
  const bool in_tail = trial.p99 && trial.p99->shown;
  if (!in_median && !in_tail) return "; no difference shown";
  if (!in_median) return "; no difference shown in the median";
  if (trial.p99 && !in_tail) return "; no difference shown in the 99th percentile";
  return "";
}

/// With a line a side where it matters.
std::string describe(const Trial& trial, bool in_lines) {
  const std::string what = fmt::format("{} ({} of {} each){}", trial.text.what,
                                       trial.p99 ? "median and 99th percentile" : "median",
                                       trial.count, not_shown(trial));
  if (in_lines) {
    return paragraph(4, "tried", what) + paragraph(4, "", side(trial, false)) +
           paragraph(4, "", side(trial, true));
  }
  return paragraph(4, "tried",
                   fmt::format("{}: {}; {}", what, side(trial, false), side(trial, true)));
}

struct Group {
  ReadingState state;
  const char* title;
  const char* name;  // for programs
};
constexpr Group kGroups[] = {{ReadingState::kCosts, "Costs", "costs"},
                             {ReadingState::kUnknown, "Not known", "unknown"},
                             {ReadingState::kAbsent, "Not there", "absent"},
                             {ReadingState::kGood, "Good", "good"}};

const char* name_of(ReadingState state) {
  for (const Group& group : kGroups) {
    if (group.state == state) return group.name;
  }
  return "unknown";
}

std::size_t count_of(const Examination& examination, ReadingState state) {
  return static_cast<std::size_t>(
      std::count_if(examination.readings.begin(), examination.readings.end(),
                    [&](const Reading& one) { return one.state == state; }));
}

/// What is good, or not there, is left as it is.
bool wants_advice(const Reading& reading) {
  const bool open =
      reading.state == ReadingState::kCosts || reading.state == ReadingState::kUnknown;
  return open && !reading.advice.empty();
}

ordered_json to_json(const TrialFigure& figure) {
  return {{"quantile", figure.quantile},
          {"as_it_is", figure.as_it_is_us},
          {"changed", figure.changed_us},
          {"as_it_is_spread", figure.as_it_is_spread_us},
          {"changed_spread", figure.changed_spread_us},
          {"shown", figure.shown}};
}

ordered_json to_json(const Trial& trial) {
  const TrialFigure& telling = trial.telling();
  auto quantiles = ordered_json::array({to_json(trial.median)});
  if (trial.p99) quantiles.push_back(to_json(*trial.p99));
  return {{"what", trial.text.what},
          {"unit", "us"},
          {"as_it_is", telling.as_it_is_us},
          {"changed", telling.changed_us},
          {"quantile", telling.quantile},
          {"shown", telling.shown},
          {"as_it_is_name", trial.text.as_it_is},
          {"changed_name", trial.text.changed},
          {"count", trial.count},
          {"quantiles", quantiles}};
}

ordered_json to_json(const Reading& reading) {
  return {{"name", reading.name},
          {"title", reading.title},
          {"reading", reading.text},
          {"state", name_of(reading.state)},
          {"advice", wants_advice(reading) ? ordered_json(reading.advice) : ordered_json()},
          {"trial", reading.trial ? to_json(*reading.trial) : ordered_json()}};
}

}  // namespace

std::string describe(const Examination& examination) {
  std::string text =
      fmt::format("{} latency on this machine, of {} looked at ({})\n",
                  counted(count_of(examination, ReadingState::kCosts), "thing") +
                      (count_of(examination, ReadingState::kCosts) == 1 ? " costs" : " cost"),
                  examination.readings.size(), duration(examination.seconds));
  for (const std::string& reason : examination.reasons) text += fmt::format("Note: {}\n", reason);
  for (const Group& group : kGroups) {
    if (count_of(examination, group.state) == 0) continue;
    text += fmt::format("\n{}\n", group.title);
    for (const Reading& reading : examination.readings) {
      if (reading.state != group.state) continue;
      text += paragraph(2, reading.title, reading.text);
      if (wants_advice(reading)) text += paragraph(4, "change", reading.advice);
      const bool in_lines = reading.state == ReadingState::kCosts;
      if (reading.trial) text += describe(*reading.trial, in_lines);
    }
  }
  return text;
}

void add_to_report(const Examination& examination, const ExaminationPlan& plan,
                   ordered_json& report) {
  report["setting"] = {{"repeats", plan.rules.repeats},
                       {"repeat_seconds", 1e-9 * static_cast<double>(plan.rules.repeat_ns)},
                       {"seconds", examination.seconds}};
  report["readings"] = ordered_json::array();
  for (const Reading& reading : examination.readings) {
    report["readings"].push_back(to_json(reading));
  }
  report["verdict"] = {{"usable", examination.usable}, {"reasons", examination.reasons}};
  report["headline"] = {{"name", "things that cost latency"},
                        {"value", count_of(examination, ReadingState::kCosts)},
                        {"unit", "things"},
                        {"better", "less"}};
}

}  // namespace firbank::program
