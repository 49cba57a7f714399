// The engine's algorithm in its two forms, in plain scalar code: the reference for its structure,
// as direct_convolution() is the reference for its numbers. See README.md for the mathematics.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace firbank {

enum class OverlapForm {
  kAdd,   // transform {block, silence}; both halves of the answer are added to the output
  kSave,  // transform {previous block, block}; the newer half of the answer is the output
};

/// Causal convolution of `in` with `taps`, as long as `in`, by uniform partitions of
/// `block_frames` taps (a power of two, 8 to 32,768). Allocates; not for real-time threads.
template <class Sample>
std::vector<Sample> overlap_reference(std::span<const Sample> in, std::span<const Sample> taps,
                                      std::size_t block_frames, OverlapForm form);

}  // namespace firbank
