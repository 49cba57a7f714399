#include "engine/routing.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank {

Routing::Routing(std::size_t inputs, std::size_t outputs, std::vector<Edge> edges)
    : inputs_(inputs), outputs_(outputs), edges_(std::move(edges)) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, message);
  };
  if (inputs_ == 0) refuse("the routing has 0 inputs; at least 1 is needed");
  if (outputs_ == 0) refuse("the routing has 0 outputs; at least 1 is needed");
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    const Edge& edge = edges_[i];
    if (edge.input >= inputs_) {
      refuse(fmt::format("edge {}: input {} is not there; 0 to {} are allowed", i, edge.input,
                         inputs_ - 1));
    }
    if (edge.output >= outputs_) {
      refuse(fmt::format("edge {}: output {} is not there; 0 to {} are allowed", i, edge.output,
                         outputs_ - 1));
    }
    if (!std::isfinite(edge.gain)) {
      refuse(fmt::format("edge {}: gain is {}; only finite numbers are allowed", i, edge.gain));
    }
  }
}

Routing Routing::rows(std::size_t channels, std::size_t filters) {
  if (filters != 1 && filters != channels) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("routing rows: {} filters do not fit {} channels; give 1 filter for "
                            "all channels, or {}, one a channel",
                            filters, channels, channels));
  }
  std::vector<Edge> edges;
  edges.reserve(channels);  // what no memory holds is refused at once
  for (std::size_t channel = 0; channel < channels; ++channel) {
    edges.push_back({.input = channel, .filter = filters == 1 ? 0 : channel, .output = channel});
  }
  return Routing(channels, channels, std::move(edges));
}

Routing Routing::bank(std::size_t channels, std::size_t filters) {
  if (filters == 0) {
    throw Error(ErrorKind::kConfiguration, "routing bank: 0 filters; at least 1 is needed");
  }
  std::vector<Edge> edges;
  edges.reserve(channels * filters);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t filter = 0; filter < filters; ++filter) {
      edges.push_back({.input = channel, .filter = filter, .output = channel * filters + filter});
    }
  }
  return Routing(channels, channels * filters, std::move(edges));
}

Routing Routing::matrix(std::size_t inputs, std::size_t outputs, std::size_t filters) {
  std::size_t needed = 0;
  const bool is_too_many = __builtin_mul_overflow(inputs, outputs, &needed);
  if (is_too_many || filters != needed) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("routing matrix: {} filters do not fit {} inputs and {} outputs; {} "
                            "are needed",
                            filters, inputs, outputs,
                            is_too_many ? "more than there can be" : std::to_string(needed)));
  }
  std::vector<Edge> edges;
  edges.reserve(needed);
  for (std::size_t input = 0; input < inputs; ++input) {
    for (std::size_t output = 0; output < outputs; ++output) {
      edges.push_back({.input = input, .filter = input * outputs + output, .output = output});
    }
  }
  return Routing(inputs, outputs, std::move(edges));
}

std::size_t Routing::max_delay() const noexcept {
  std::size_t longest = 0;
  for (const Edge& edge : edges_) longest = std::max(longest, edge.delay);
  return longest;
}

bool Routing::is_in_rows() const noexcept {
  if (inputs_ != outputs_) return false;
  return std::all_of(edges_.begin(), edges_.end(),
                     [](const Edge& edge) { return edge.input == edge.output; });
}

bool Routing::has_single_edges() const {
  std::vector<bool> has_edge(outputs_, false);
  for (const Edge& edge : edges_) {
    if (has_edge[edge.output]) return false;
    has_edge[edge.output] = true;
  }
  return true;
}

}  // namespace firbank
