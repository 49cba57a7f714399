#include "demos/firbank/live_json.hpp"

namespace firbank::program {
namespace {

const char* name(LiveEventKind kind) {
  switch (kind) {
    case LiveEventKind::kInputOverflow:
      return "input-overflow";
    case LiveEventKind::kInputUnderflow:
      return "input-underflow";
    case LiveEventKind::kOutputUnderflow:
      return "output-underflow";
    case LiveEventKind::kOutputOverflow:
      return "output-overflow";
    case LiveEventKind::kLateCall:
      return "late-call";
    case LiveEventKind::kLateAnswer:
      return "late-answer";
    case LiveEventKind::kGap:
      return "gap";
  }
  return "";
}

}  // namespace

bool is_likely_latency(double seconds) {
  constexpr double kLeast = 1e-5;
  constexpr double kMost = 2;
  return seconds >= kLeast && seconds <= kMost;
}

const char* stage_name(LiveStage stage) {
  switch (stage) {
    case LiveStage::kWait:
      return "wait";
    case LiveStage::kCompute:
      return "compute";
    case LiveStage::kDevice:
      return "device";
    case LiveStage::kCard:
      return "card";
  }
  return "";
}

nlohmann::ordered_json dropouts_json(const LiveStatus& status) {
  nlohmann::ordered_json counts;
  for (std::size_t i = 0; i < kLiveStages; ++i) {
    counts[stage_name(static_cast<LiveStage>(i))] = status.dropouts[i];
  }
  return counts;
}

nlohmann::ordered_json to_json(const LoadMeter::Reading& load) {
  return {{"calls", load.calls}, {"late_calls", load.late_calls}, {"mean", load.mean},
          {"p99", load.p99},     {"largest", load.largest},       {"largest_ns", load.largest_ns}};
}

nlohmann::ordered_json to_json(const std::vector<LiveEvent>& events) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const LiveEvent& event : events) {
    list.push_back({{"kind", name(event.kind)},
                    {"frame", event.frame},
                    {"seconds", 1e-9 * static_cast<double>(event.time_ns)},
                    {"stage", stage_name(event.blame.stage)},
                    {"excess_seconds", 1e-9 * static_cast<double>(event.blame.excess_ns)}});
  }
  return list;
}

}  // namespace firbank::program
