#include "kernels/cuda/call_bytes.hpp"

#include <algorithm>
#include <bit>

#include "kernels/cuda/bank_layout.hpp"
#include "kernels/cuda/convolve_layout.hpp"
#include "kernels/cuda/direct_layout.hpp"
#include "kernels/cuda/transform_tables.hpp"

namespace firbank::cuda {
namespace {

/// The taps that lie in a level.
SpectralBankShape level_shape(const LevelExtent& level, const BankExtent& bank) {
  SpectralBankShape shape;
  shape.terms = bank.terms;
  const std::size_t length = level.partition_taps;
  const std::size_t end = level.first_tap + level.partitions * length;
  for (const IndexRange& taps : bank.taps) {
    const std::size_t first = std::max(taps.first, level.first_tap);
    const std::size_t last = std::min(taps.last, end);
    IndexRange& range = shape.partitions.emplace_back();
    if (first >= last) continue;
    range = {(first - level.first_tap) / length, (last - level.first_tap + length - 1) / length};
  }
  return shape;
}

/// Of one block; of a later level each of `slices` sums a part by itself.
BlockBytes level_bytes(const LevelExtent& level, LevelKind kind, const BankExtent& bank,
                       std::size_t slices, std::uint32_t multiprocessors) {
  constexpr std::size_t kValueBytes = sizeof(Complex<float>);
  const BankLayout layout = bank_layout(level_shape(level, bank));
  const auto bins = static_cast<std::uint32_t>((level.bins + slices - 1) / slices);
  return block_bytes(layout, kind, static_cast<std::uint32_t>(level.bins), kValueBytes,
                     accumulate_splits(layout, bins, kValueBytes, multiprocessors), bank.compact);
}

/// Whether a kernel does all at once, as CudaSpectralLevel has it.
bool convolves(const std::vector<LevelExtent>& levels, const BankExtent& bank) {
  const LevelExtent& head = levels.front();
  const auto log2_bins = static_cast<std::uint32_t>(std::countr_zero(head.bins));
  return levels.size() == 1 && head.partitions == 1 &&
         transform_shape<float>(log2_bins).outer == 0 &&
         std::all_of(bank.terms.begin(), bank.terms.end(),
                     [](const auto& terms) { return terms.size() <= 1; });
}

/// Of one piece of a level that convolves.
BlockBytes convolved_bytes(const LevelExtent& level, const BankExtent& bank,
                           std::uint32_t multiprocessors) {
  const SpectralBankShape shape = level_shape(level, bank);
  const auto bins = static_cast<std::uint32_t>(level.bins);
  std::size_t inputs = 0;
  for (const std::vector<ResponseTerm>& terms : bank.terms) {
    if (!terms.empty()) inputs = std::max(inputs, terms.front().input + 1);
  }
  const ConvolveLayout layout =
      convolve_layout(shape, response_layout(shape), inputs,
                      listeners_of_items(shape.terms.size(), bins, multiprocessors));
  return convolve_bytes(layout, bins, sizeof(Complex<float>), bank.compact);
}

}  // namespace

CallBytes call_bytes(const std::vector<LevelExtent>& levels, std::size_t call_frames,
                     const BankExtent& bank, std::uint32_t multiprocessors) {
  const LevelExtent& head = levels.front();
  const auto blocks_a_call = [&](const LevelExtent& level) {
    return static_cast<double>(call_frames) / static_cast<double>(level.block_frames);
  };
  if (convolves(levels, bank)) {
    const BlockBytes piece = convolved_bytes(head, bank, multiprocessors);
    const double pieces = std::max(blocks_a_call(head), 1.0);
    return {pieces * static_cast<double>(piece.loaded), pieces * static_cast<double>(piece.floor),
            pieces * static_cast<double>(piece.cached)};
  }
  LevelExtent newest_partition = head;
  newest_partition.partitions = 1;
  const LevelKind kind = head.partitions == 1 ? LevelKind::kSingle : LevelKind::kFirst;
  const BlockBytes all = level_bytes(head, kind, bank, 1, multiprocessors);
  const BlockBytes newest = level_bytes(newest_partition, kind, bank, 1, multiprocessors);
  const double blocks = blocks_a_call(head);
  const auto of_call = [&](std::uint64_t block, std::uint64_t piece) {
    return std::max(blocks, 1.0) * static_cast<double>(piece) +
           blocks * static_cast<double>(block - piece);
  };
  CallBytes bytes{of_call(all.loaded, newest.loaded), of_call(all.floor, newest.floor), 0};
  for (std::size_t k = 1; k < levels.size(); ++k) {
    const std::size_t slices = levels[k].block_frames / std::min(call_frames, head.block_frames);
    const BlockBytes later =
        level_bytes(levels[k], LevelKind::kLater, bank, slices, multiprocessors);
    bytes.loaded += blocks_a_call(levels[k]) * static_cast<double>(later.loaded);
    bytes.floor += blocks_a_call(levels[k]) * static_cast<double>(later.floor);
  }
  return bytes;
}

CallBytes direct_call_bytes(std::size_t piece_frames, std::size_t call_frames,
                            const BankExtent& bank, std::uint32_t multiprocessors) {
  DirectBankShape shape;
  shape.terms = bank.terms;
  for (const IndexRange& taps : bank.taps) {
    shape.responses.push_back({taps.first, taps.last - taps.first});
  }
  const DirectLayout layout = direct_layout(shape, sizeof(float));
  const DirectCut cut = direct_cut(layout, piece_frames, sizeof(float), multiprocessors);
  CallBytes bytes;
  for (std::size_t done = 0; done < call_frames; done += piece_frames) {
    const std::size_t frames = std::min(piece_frames, call_frames - done);
    const BlockBytes piece = direct_bytes(layout, cut, frames, sizeof(float));
    bytes.loaded += static_cast<double>(piece.loaded);
    bytes.floor += static_cast<double>(piece.floor);
  }
  return bytes;
}

}  // namespace firbank::cuda
