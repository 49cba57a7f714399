// BankLayout: how the responses of a bank and the terms of its outputs lie in device memory, and
// how much of it each block has to read.
//
// Outputs whose terms meet the same inputs share tiles, so that what one of them reads of an input
// serves all: a matrix reads each delay line once for every kTileOutputs outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

struct BankLayout {
  std::vector<Tile> tiles;
  std::vector<Term> terms;
  std::vector<std::uint32_t> tile_outputs;
  std::vector<std::uint32_t> output_tile;
  std::vector<std::uint32_t> output_position;
  std::vector<std::uint64_t> response_spectra;  // of each response: its first partition's spectrum
  std::uint64_t spectra = 0;                    // of all responses together
  std::uint32_t most_terms = 0;                 // of any output
  std::uint32_t partitions = 0;                 // of the longest response
};

BankLayout bank_layout(const SpectralBankShape& shape);

/// The responses only: no tiles and no terms.
BankLayout response_layout(const SpectralBankShape& shape);

/// Into how many shares the sums of such a bank are cut, so that a device of `multiprocessors` has
/// work for all of them.
std::uint32_t accumulate_splits(const BankLayout& layout, std::uint32_t bins,
                                std::size_t value_bytes, std::uint32_t multiprocessors);

/// Bytes of device memory that one whole block of a level reads, of `value_bytes` (a Complex) each
/// bin: all that the kernels load, and the least that any kernels would: every partition and every
/// delay line that meets one, once. To both the first level adds the sums that it carries from
/// block to block, unless a single partition is all it has, a later one the answers that the first
/// one adds.
struct BlockBytes {
  std::uint64_t loaded = 0;
  std::uint64_t floor = 0;
  // Of what is loaded: responses that kConvolve meets anew soon after others have, while the
  // level-2 cache still holds them.
  std::uint64_t cached = 0;
};
enum class LevelKind { kFirst, kSingle, kLater };
BlockBytes block_bytes(const BankLayout& layout, LevelKind kind, std::uint32_t bins,
                       std::size_t value_bytes, std::uint32_t splits, bool compact = false);

}  // namespace firbank::cuda
