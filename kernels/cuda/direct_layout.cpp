#include "kernels/cuda/direct_layout.hpp"

#include <algorithm>
#include <map>

namespace firbank::cuda {
namespace {

constexpr std::uint64_t kBlocksPerMultiprocessor = 8;
constexpr std::uint64_t kLeastSteps = 4;  // that repay a share
constexpr std::uint64_t kMostSplits = 128;

/// Chunks of taps that a term of a tile ranges over, from its outputs' first to their last.
IndexRange range_of(const BankLayout& bank, const Tile& tile, std::uint32_t term) {
  IndexRange range{kNone, 0};
  for (std::uint32_t k = 0; k < tile.outputs; ++k) {
    const Term& own = bank.terms[tile.first_term + term * tile.outputs + k];
    range.first = std::min<std::size_t>(range.first, own.partitions_first);
    range.last = std::max<std::size_t>(range.last, own.partitions_last);
  }
  return range;
}

std::size_t divided_up(std::size_t count, std::size_t by) {
  return (count + by - 1) / by;
}

std::uint32_t stretches_of(std::size_t frames, std::size_t sample_bytes) {
  return static_cast<std::uint32_t>(divided_up(frames, kTileChunks * kChunkBytes / sample_bytes));
}

}  // namespace

DirectLayout direct_layout(const DirectBankShape& shape, std::size_t sample_bytes) {
  const std::size_t chunk = kChunkBytes / sample_bytes;
  SpectralBankShape chunks;
  chunks.terms = shape.terms;
  for (const DirectBankShape::Response& response : shape.responses) {
    chunks.partitions.push_back(
        {response.delay / chunk, divided_up(response.delay + response.taps, chunk)});
  }
  DirectLayout layout;
  layout.bank = bank_layout(chunks);
  for (std::size_t r = 0; r < shape.responses.size(); ++r) {
    layout.first.push_back(layout.bank.response_spectra[r] * chunk +
                           shape.responses[r].delay % chunk);
  }
  for (const Tile& tile : layout.bank.tiles) {
    layout.most_outputs = std::max(layout.most_outputs, tile.outputs);
    for (std::uint32_t term = 0; term < tile.terms; ++term) {
      const IndexRange range = range_of(layout.bank, tile, term);
      layout.steps =
          std::max(layout.steps,
                   static_cast<std::uint32_t>(divided_up(range.last - range.first, kStepChunks)));
    }
  }
  std::vector<bool> is_heard(shape.responses.size());
  std::map<std::size_t, std::size_t> reach;
  for (const std::vector<ResponseTerm>& terms : shape.terms) {
    for (const ResponseTerm& term : terms) {
      const DirectBankShape::Response& response = shape.responses[term.response];
      if (!is_heard[term.response]) layout.taps += response.taps;
      is_heard[term.response] = true;
      std::size_t& of_input = reach[term.input];
      of_input = std::max(of_input, response.delay + response.taps - 1);
    }
  }
  for (const auto& [input, frames] : reach) layout.reach.push_back(frames);
  return layout;
}

DirectCut direct_cut(const DirectLayout& layout, std::size_t frames, std::size_t sample_bytes,
                     std::uint32_t multiprocessors) {
  DirectCut cut;
  cut.stretches = stretches_of(frames, sample_bytes);
  const std::uint64_t wanted = std::uint64_t{multiprocessors} * kBlocksPerMultiprocessor;
  const std::uint64_t stretches = std::uint64_t{layout.bank.tiles.size()} * cut.stretches;
  if (layout.most_outputs == 1) {
    cut.at_once = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(stretches / wanted, 1, std::min(cut.stretches, kMostStretches)));
  }
  const std::uint64_t blocks = stretches / cut.at_once;
  const std::uint64_t steps = std::uint64_t{layout.bank.most_terms} * layout.steps;
  cut.splits = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      std::min(wanted / std::max<std::uint64_t>(blocks, 1), steps / kLeastSteps), 1, kMostSplits));
  return cut;
}

BlockBytes direct_bytes(const DirectLayout& layout, const DirectCut& cut, std::size_t frames,
                        std::size_t sample_bytes) {
  const std::size_t chunk = kChunkBytes / sample_bytes;
  const std::size_t blocks = divided_up(stretches_of(frames, sample_bytes), cut.at_once);
  const std::size_t frame_chunks = divided_up(frames, chunk);  // of all thread blocks
  std::uint64_t chunks = 0;
  for (const Tile& tile : layout.bank.tiles) {
    for (std::uint32_t term = 0; term < tile.terms; ++term) {
      for (std::uint32_t k = 0; k < tile.outputs; ++k) {
        const Term& own = layout.bank.terms[tile.first_term + term * tile.outputs + k];
        chunks += std::uint64_t{own.partitions_last - own.partitions_first} * blocks;
      }
      const IndexRange range = range_of(layout.bank, tile, term);
      for (std::size_t tap = range.first; tap < range.last; tap += kStepChunks) {
        const std::size_t taps = std::min<std::size_t>(range.last - tap, kStepChunks);
        chunks += divided_up(taps, kTapChunks) * kTapChunks * blocks + frame_chunks;
      }
    }
  }
  const std::uint64_t shared =
      cut.splits > 1 ? layout.bank.output_tile.size() * frames * cut.splits : 0;
  std::uint64_t floor = layout.taps;
  for (const std::size_t reach : layout.reach) floor += reach + frames;
  return {chunks * kChunkBytes + shared * sample_bytes, floor * sample_bytes};
}

}  // namespace firbank::cuda
