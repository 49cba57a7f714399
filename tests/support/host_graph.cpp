#include "tests/support/host_graph.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "io/random.hpp"

namespace firbank::test {

HostGraph::HostGraph(const firbank_kernel_call* calls, std::size_t count) {
  nodes_.reserve(count);
  for (std::size_t number = 0; number < count; ++number) {
    Node node{calls[number], nullptr, {}, std::vector<bool>(count)};
    node.params.reset(new std::byte[node.call.params_bytes]);
    std::memcpy(node.params.get(), node.call.params, node.call.params_bytes);
    node.call.params = node.params.get();
    node.after.assign(node.call.after, node.call.after + node.call.after_count);
    node.call.after = node.after.data();
    for (const std::uint32_t before : node.after) {
      node.waits_for[before] = true;
      for (std::size_t i = 0; i < before; ++i) {
        if (leads(i, before)) node.waits_for[i] = true;
      }
    }
    nodes_.push_back(std::move(node));
  }
}

bool HostGraph::runs_alone(std::size_t number) const {
  for (std::size_t other = 0; other < size(); ++other) {
    if (side_by_side(number, other)) return false;
  }
  return true;
}

std::vector<std::size_t> HostGraph::order(std::uint64_t seed) const {
  Xoshiro256 random(seed);
  std::vector<std::size_t> order;
  std::vector<bool> is_done(size());
  while (order.size() < size()) {
    std::vector<std::size_t> ready;
    for (std::size_t number = 0; number < size(); ++number) {
      const auto& after = nodes_[number].after;
      if (!is_done[number] && std::all_of(after.begin(), after.end(),
                                          [&](std::uint32_t before) { return is_done[before]; })) {
        ready.push_back(number);
      }
    }
    order.push_back(ready[random() % ready.size()]);
    is_done[order.back()] = true;
  }
  return order;
}

}  // namespace firbank::test
