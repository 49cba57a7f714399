#include "kernels/cuda/bank_layout.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "kernels/cuda/launch_shape.hpp"

namespace firbank::cuda {
namespace {

constexpr std::uint64_t kThreadsPerMultiprocessor = 1'024;
constexpr std::uint64_t kLeastSteps = 16;  // partitions that repay a share
constexpr std::uint32_t kMostSplits = 128;

std::uint32_t narrow(std::size_t value) {
  return static_cast<std::uint32_t>(value);
}

std::uint64_t steps(const BankLayout& layout) {
  return std::uint64_t{layout.most_terms} * layout.partitions;
}

}  // namespace

BankLayout response_layout(const SpectralBankShape& shape) {
  BankLayout layout;
  for (const IndexRange& range : shape.partitions) {
    layout.response_spectra.push_back(layout.spectra);
    layout.spectra += range.last - range.first;
    layout.partitions = std::max(layout.partitions, narrow(range.last));
  }
  return layout;
}

BankLayout bank_layout(const SpectralBankShape& shape) {
  BankLayout layout = response_layout(shape);

  // Outputs by the inputs that they hear, in order.
  std::vector<std::vector<ResponseTerm>> sorted = shape.terms;
  std::map<std::vector<std::size_t>, std::vector<std::uint32_t>> groups;
  for (std::size_t output = 0; output < sorted.size(); ++output) {
    std::vector<ResponseTerm>& terms = sorted[output];
    std::stable_sort(terms.begin(), terms.end(), [](const ResponseTerm& a, const ResponseTerm& b) {
      return a.input < b.input;
    });
    std::vector<std::size_t> inputs;
    inputs.reserve(terms.size());
    for (const ResponseTerm& term : terms) inputs.push_back(term.input);
    groups[inputs].push_back(narrow(output));
    layout.most_terms = std::max(layout.most_terms, narrow(terms.size()));
  }

  layout.output_tile.resize(sorted.size());
  layout.output_position.resize(sorted.size());
  for (const auto& [inputs, outputs] : groups) {
    for (std::size_t first = 0; first < outputs.size(); first += kTileOutputs) {
      const std::size_t count = std::min<std::size_t>(kTileOutputs, outputs.size() - first);
      layout.tiles.push_back({narrow(layout.tile_outputs.size()), narrow(count),
                              narrow(layout.terms.size()), narrow(inputs.size())});
      for (std::size_t k = 0; k < count; ++k) {
        const std::uint32_t output = outputs[first + k];
        layout.output_tile[output] = narrow(layout.tiles.size() - 1);
        layout.output_position[output] = narrow(k);
        layout.tile_outputs.push_back(output);
      }
      for (std::size_t t = 0; t < inputs.size(); ++t) {
        for (std::size_t k = 0; k < count; ++k) {
          const ResponseTerm& term = sorted[outputs[first + k]][t];
          const IndexRange& range = shape.partitions[term.response];
          layout.terms.push_back({narrow(term.input), narrow(range.first), narrow(range.last),
                                  layout.response_spectra[term.response]});
        }
      }
    }
  }
  return layout;
}

std::uint32_t accumulate_splits(const BankLayout& layout, std::uint32_t bins,
                                std::size_t value_bytes, std::uint32_t multiprocessors) {
  const std::uint64_t wanted = multiprocessors * kThreadsPerMultiprocessor;
  const std::uint64_t threads = layout.tiles.size() * bins * value_bytes / 16;
  const std::uint64_t splits = wanted / std::max<std::uint64_t>(threads, 1);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(std::min(splits, steps(layout) / kLeastSteps), 1, kMostSplits));
}

BlockBytes block_bytes(const BankLayout& layout, LevelKind kind, std::uint32_t bins,
                       std::size_t value_bytes, std::uint32_t splits, bool compact) {
  const bool is_first = kind != LevelKind::kLater;
  const bool has_sums = kind != LevelKind::kSingle;
  std::uint64_t met = 0;     // partitions of responses
  std::uint64_t others = 0;  // spectra
  std::uint64_t heard = 0;
  std::map<std::uint32_t, std::uint32_t> reach;      // of each input
  std::map<std::uint64_t, std::uint64_t> responses;  // first spectrum: how many
  for (const Tile& tile : layout.tiles) {
    for (std::uint32_t t = 0; t < tile.terms; ++t) {
      std::uint32_t longest = 0;
      for (std::uint32_t k = 0; k < tile.outputs; ++k) {
        const Term& term = layout.terms[tile.first_term + t * tile.outputs + k];
        const std::uint32_t partitions = term.partitions_last - term.partitions_first;
        met += partitions;
        // Partition 0 is met by each output of the first level by itself.
        if (is_first && term.partitions_first == 0) ++others;
        longest = std::max(longest, term.partitions_last);
        reach[term.input] = std::max(reach[term.input], term.partitions_last);
        responses[term.spectra] = partitions;
      }
      others += is_first && longest > 0 ? longest - 1 : longest;
    }
    if (has_sums) others += std::uint64_t{tile.outputs} * (1 + (splits > 1 ? splits : 0));
    heard += tile.outputs;
  }
  std::uint64_t stored = 0;
  for (const auto& [first, count] : responses) stored += count;
  std::uint64_t floor = kind == LevelKind::kFirst ? heard : 0;
  for (const auto& [input, count] : reach) floor += count;
  const std::uint64_t answers = is_first ? 0 : heard * bins * (value_bytes / 2);
  // Every scale once.
  const std::uint64_t least_bytes =
      compact ? sizeof(Multiple) * bins + sizeof(Scale) * bins / kGroupBins : value_bytes * bins;
  const std::uint64_t loaded_bytes = (compact ? kCompactBinBytes : value_bytes) * bins;
  return {met * loaded_bytes + others * bins * value_bytes + answers,
          stored * least_bytes + floor * bins * value_bytes + answers, 0};
}

}  // namespace firbank::cuda
