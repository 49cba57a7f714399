// PlanDemand: the work of one configuration, as the estimates of plans want to know it.
//
// Thread: any; set-up only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/config.hpp"
#include "engine/filter_sizes.hpp"
#include "engine/partition_plan.hpp"
#include "engine/responses.hpp"
#include "engine/routing.hpp"

namespace firbank {

/// A later bank may have up to max_taps in every filter, and the plan stays: so where max_taps was
/// declared, it is planned for.
class PlanDemand {
 public:
  PlanDemand(const EngineConfig& of_engine, const FilterSizes& filters, const Routing& routing,
             std::size_t bytes_of_sample = sizeof(float));

  struct Partitions {
    double stored = 0;   // of all responses
    double met = 0;      // of all edges
    double longest = 0;  // behind the last of any
  };
  Partitions partitions(const LevelPlan& level) const;

  const EngineConfig& config;  // must outlive this
  double inputs;
  double outputs;
  double edges;
  bool in_rows;
  bool single_edges;  // no output has more than one
  std::size_t sample_bytes;
  double threads;
  std::uint64_t expected_frames;  // 0: very many
  double taps = 0;                // of all edges
  double most_edges = 0;          // of an output
  // Of a device, which sums up to so many outputs together that hear the same inputs: how many such
  // tiles there are, and what the longest of their terms ranges over, in chunks of so many bytes.
  static constexpr std::size_t kTileOutputs = 8;
  static constexpr std::size_t kChunkBytes = 16;
  double tiles = 0;
  double most_chunks = 0;

 private:
  template <class LengthOf>
  void share_out(const ResponseTable& table, const LengthOf& length_of);

  /// Responses that begin and end at the same frames.
  struct Span {
    std::size_t first = 0;
    std::size_t last = 0;
    double responses = 0;
    double edges = 0;
  };
  std::vector<Span> spans_;
};

}  // namespace firbank
