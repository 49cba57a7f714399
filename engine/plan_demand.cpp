#include "engine/plan_demand.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/responses.hpp"

namespace firbank {

PlanDemand::PlanDemand(const EngineConfig& of_engine, const FilterSizes& filters,
                       const Routing& routing, std::size_t bytes_of_sample)
    : config(of_engine),
      inputs(static_cast<double>(routing.inputs())),
      outputs(static_cast<double>(routing.outputs())),
      edges(static_cast<double>(routing.edges().size())),
      in_rows(routing.is_in_rows()),
      single_edges(routing.has_single_edges()),
      sample_bytes(bytes_of_sample),
      threads(static_cast<double>(config.threads)),
      expected_frames(config.goal == PlanGoal::kOffline ? config.expected_frames : 0) {
  const ResponseTable table(routing);
  std::vector<double> uses(table.responses().size());
  for (const std::vector<ResponseTerm>& terms : table.terms()) {
    for (const ResponseTerm& term : terms) ++uses[term.response];
  }
  std::map<std::pair<std::size_t, std::size_t>, Span> spans;
  for (std::size_t r = 0; r < uses.size(); ++r) {
    const Response& response = table.responses()[r];
    const std::size_t length =
        config.max_taps != 0 ? config.max_taps : filters.taps(response.filter);
    taps += uses[r] * static_cast<double>(length);
    Span& span = spans[{response.delay, response.delay + length}];
    span.responses += 1;
    span.edges += uses[r];
  }
  for (const auto& [ends, span] : spans) {
    spans_.push_back({ends.first, ends.second, span.responses, span.edges});
  }
}

PlanDemand::Partitions PlanDemand::partitions(const LevelPlan& level) const {
  Partitions sum;
  for (const Span& span : spans_) {
    const std::size_t first = std::max(span.first, level.first_tap);
    const std::size_t last = std::min(span.last, level.end_tap());
    if (first >= last) continue;
    const std::size_t length = level.partition_taps;
    const std::size_t partitions =
        (last - level.first_tap + length - 1) / length - (first - level.first_tap) / length;
    const auto count = static_cast<double>(partitions);
    sum.stored += count * span.responses;
    sum.met += count * span.edges;
  }
  return sum;
}

}  // namespace firbank
