// Routing: which filter connects which input channel to which output channel.
//
// A list of edges. An output is the sum over its edges of
//   gain * (filter * input)[frame - delay].
// Several edges may share a filter, an input, an output, or all three.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank {

struct Edge {
  std::size_t input = 0;
  std::size_t filter = 0;  // index in the FilterBank
  std::size_t output = 0;
  double gain = 1.0;      // linear, finite
  std::size_t delay = 0;  // frames

  bool operator==(const Edge&) const = default;
};

class Routing {
 public:
  /// Throws: Error when an edge names an input or output that is not there, or its gain is not
  /// finite. Whether its filter is there is checked against the bank, by Engine.
  Routing(std::size_t inputs, std::size_t outputs, std::vector<Edge> edges);

  /// Filter i on channel i; a single filter serves every channel.
  /// Throws: Error when `filters` is neither 1 nor `channels`.
  static Routing rows(std::size_t channels, std::size_t filters);

  /// Every filter on every channel: output channel x filters + filter.
  static Routing bank(std::size_t channels, std::size_t filters);

  /// Filter input x outputs + output goes from input to output, summed over inputs.
  /// Throws: Error when `filters` is not inputs x outputs.
  static Routing matrix(std::size_t inputs, std::size_t outputs, std::size_t filters);

  std::size_t inputs() const noexcept { return inputs_; }
  std::size_t outputs() const noexcept { return outputs_; }
  const std::vector<Edge>& edges() const noexcept { return edges_; }
  std::size_t max_delay() const noexcept;  // frames
  /// Whether every output hears the input of its own number and no other.
  bool is_in_rows() const noexcept;
  /// Whether no output has more than one edge.
  bool has_single_edges() const;

 private:
  std::size_t inputs_;
  std::size_t outputs_;
  std::vector<Edge> edges_;
};

}  // namespace firbank
