#include "engine/responses.hpp"

#include <map>
#include <tuple>

namespace firbank {

ResponseTable::ResponseTable(const Routing& routing) : terms_(routing.outputs()) {
  std::map<std::tuple<std::size_t, double, std::size_t>, std::size_t> known;
  for (const Edge& edge : routing.edges()) {
    const auto [entry, is_new] =
        known.try_emplace({edge.filter, edge.gain, edge.delay}, responses_.size());
    if (is_new) responses_.push_back({edge.filter, edge.gain, edge.delay});
    terms_[edge.output].push_back({edge.input, entry->second});
  }
}

}  // namespace firbank
