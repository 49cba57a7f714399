#include "engine/plan_demand.hpp"

#include <algorithm>
#include <map>
#include <utility>

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
  const auto length_of = [&](const Response& response) {
    return config.max_taps != 0 ? config.max_taps : filters.taps(response.filter);
  };
  std::vector<double> uses(table.responses().size());
  for (const std::vector<ResponseTerm>& terms : table.terms()) {
    for (const ResponseTerm& term : terms) ++uses[term.response];
  }
  std::map<std::pair<std::size_t, std::size_t>, Span> spans;
  for (std::size_t r = 0; r < uses.size(); ++r) {
    const Response& response = table.responses()[r];
    const std::size_t length = length_of(response);
    taps += uses[r] * static_cast<double>(length);
    Span& span = spans[{response.delay, response.delay + length}];
    span.responses += 1;
    span.edges += uses[r];
  }
  for (const auto& [ends, span] : spans) {
    spans_.push_back({ends.first, ends.second, span.responses, span.edges});
  }
  share_out(table, length_of);
}

/// As a device does it: outputs that hear the same inputs in tiles, term by term of each input.
template <class LengthOf>
void PlanDemand::share_out(const ResponseTable& table, const LengthOf& length_of) {
  std::map<std::vector<std::size_t>, std::vector<std::vector<ResponseTerm>>> groups;
  for (std::vector<ResponseTerm> terms : table.terms()) {
    most_edges = std::max(most_edges, static_cast<double>(terms.size()));
    std::stable_sort(terms.begin(), terms.end(), [](const ResponseTerm& a, const ResponseTerm& b) {
      return a.input < b.input;
    });
    std::vector<std::size_t> heard;
    heard.reserve(terms.size());
    for (const ResponseTerm& term : terms) heard.push_back(term.input);
    groups[std::move(heard)].push_back(std::move(terms));
  }
  const std::size_t chunk = kChunkBytes / sample_bytes;
  for (const auto& [heard, group] : groups) {
    for (std::size_t first = 0; first < group.size(); first += kTileOutputs) {
      tiles += 1;
      const std::size_t last = std::min(first + kTileOutputs, group.size());
      for (std::size_t term = 0; term < heard.size(); ++term) {
        std::size_t begin = SIZE_MAX;
        std::size_t end = 0;
        for (std::size_t output = first; output < last; ++output) {
          const Response& response = table.responses()[group[output][term].response];
          begin = std::min(begin, response.delay / chunk);
          end = std::max(end, (response.delay + length_of(response) + chunk - 1) / chunk);
        }
        most_chunks = std::max(most_chunks, static_cast<double>(end - begin));
      }
    }
  }
}

PlanDemand::Partitions PlanDemand::partitions(const LevelPlan& level) const {
  Partitions sum;
  for (const Span& span : spans_) {
    const std::size_t first = std::max(span.first, level.first_tap);
    const std::size_t last = std::min(span.last, level.end_tap());
    if (first >= last) continue;
    const std::size_t length = level.partition_taps;
    const std::size_t begin = (first - level.first_tap) / length;
    const std::size_t end = (last - level.first_tap + length - 1) / length;
    const auto count = static_cast<double>(end - begin);
    sum.stored += count * span.responses;
    sum.met += count * span.edges;
    sum.longest = std::max(sum.longest, static_cast<double>(end));
  }
  return sum;
}

}  // namespace firbank
