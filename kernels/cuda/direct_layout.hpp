// DirectLayout: how the taps of a bank in direct form lie in device memory, and how much of it each
// piece has to read.
//
// Taps are partitions of one chunk, those of kChunkBytes, so that outputs share tiles as those of
// spectra do: where they hear the same inputs, what a thread block reads of them serves all.
//
// Thread: any; set-up only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/bank_layout.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

struct DirectLayout {
  BankLayout bank;                 // in chunks
  std::vector<std::size_t> first;  // of each response: its first tap, counted in samples
  std::uint32_t most_outputs = 0;  // of any tile
  std::uint32_t steps = 1;         // of the longest term of a tile
  std::uint64_t taps = 0;          // of all responses that are heard
  std::vector<std::size_t> reach;  // of each input that is heard: its longest delay + taps - 1
};

/// Of samples of `sample_bytes`.
DirectLayout direct_layout(const DirectBankShape& shape, std::size_t sample_bytes);

/// How the sums of pieces are shared among thread blocks.
struct DirectCut {
  std::uint32_t stretches = 1;  // of frames, that the longest piece has
  std::uint32_t at_once = 1;    // of them, that a thread block sums
  std::uint32_t splits = 1;     // shares of a tile's terms and steps
};

/// So that a device of `multiprocessors` has work for all of them with pieces of `frames`, and
/// reads taps as seldom as that leaves room for.
DirectCut direct_cut(const DirectLayout& layout, std::size_t frames, std::size_t sample_bytes,
                     std::uint32_t multiprocessors);

/// What a piece of `frames`, which begins at a whole chunk, reads: what the kernels that sum it
/// load, and the least that any kernels would: every tap once, and once every sample that one
/// meets.
BlockBytes direct_bytes(const DirectLayout& layout, const DirectCut& cut, std::size_t frames,
                        std::size_t sample_bytes);

}  // namespace firbank::cuda
