// SeenGraphs: the fake device behind an interface of its own, which remembers the graphs that are
// made, and leaves an edge out when it is told to. There is one at a time.
//
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"
#include "tests/support/host_graph.hpp"

namespace firbank::test {

inline bool is_of(const HostGraph& graph, std::size_t number, cuda::Kernel kernel) {
  return graph.call(number).kernel == static_cast<std::uint32_t>(kernel);
}

/// An edge of a graph: call `later` no longer waits for `earlier`, but for what that one waits for.
/// The last call still waits for all.
struct MissingEdge {
  std::size_t graph = 0;
  std::uint32_t earlier = 0;
  std::uint32_t later = 0;
};

class SeenGraphs {
 public:
  explicit SeenGraphs(const firbank_device_api& api) : api_(api) {
    seen_ = this;
    wrapped_ = api;
    wrapped_.make_graph = [](firbank_device* device, const firbank_kernel_call* calls,
                             std::size_t count, firbank_graph** graph) {
      return seen_->make(device, calls, count, graph);
    };
  }
  ~SeenGraphs() { seen_ = nullptr; }
  SeenGraphs(const SeenGraphs&) = delete;
  SeenGraphs& operator=(const SeenGraphs&) = delete;

  const firbank_device_api& api() const { return wrapped_; }
  const std::vector<HostGraph>& graphs() const { return graphs_; }
  std::vector<HostGraph> take_graphs() { return std::exchange(graphs_, {}); }
  void leave_out(const std::optional<MissingEdge>& edge) {
    graphs_.clear();
    missing_ = edge;
  }

 private:
  int make(firbank_device* device, const firbank_kernel_call* calls, std::size_t count,
           firbank_graph** graph) {
    std::vector<firbank_kernel_call> list(calls, calls + count);
    std::vector<std::vector<std::uint32_t>> after;
    for (const firbank_kernel_call& call : list) {
      after.emplace_back(call.after, call.after + call.after_count);
    }
    if (missing_ && missing_->graph == graphs_.size()) leave_out_of(after);
    for (std::size_t number = 0; number < count; ++number) {
      list[number].after_count = static_cast<std::uint32_t>(after[number].size());
      list[number].after = after[number].data();
    }
    graphs_.emplace_back(list.data(), list.size());
    return api_.make_graph(device, list.data(), list.size(), graph);
  }

  void leave_out_of(std::vector<std::vector<std::uint32_t>>& after) const {
    std::vector<std::uint32_t>& waits = after[missing_->later];
    std::set<std::uint32_t> all(waits.begin(), waits.end());
    all.erase(missing_->earlier);
    all.insert(after[missing_->earlier].begin(), after[missing_->earlier].end());
    waits.assign(all.begin(), all.end());
    std::vector<std::uint32_t>& last = after.back();
    if (std::find(last.begin(), last.end(), missing_->earlier) == last.end()) {
      last.push_back(missing_->earlier);
    }
  }

  static inline SeenGraphs* seen_ = nullptr;
  const firbank_device_api& api_;
  firbank_device_api wrapped_{};
  std::vector<HostGraph> graphs_;
  std::optional<MissingEdge> missing_;
};

}  // namespace firbank::test
