// ConvolveLayout: how the outputs of a bank whose terms are single are dealt out to the thread
// blocks of kConvolve, and how much each block of the stream has to read then.
//
// An input's spectrum is made anew for every item that it has. So items have as many outputs as
// leave work for all of a device. Items that run at about the same time meet about the same
// responses, which the level-2 cache gives to all but the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/bank_layout.hpp"
#include "kernels/cuda/kernel_params.hpp"

namespace firbank::cuda {

struct ConvolveLayout {
  std::vector<ConvolveItem> items;
  std::vector<Listener> listeners;
};

/// Of a bank with one term an output at the most, whose responses lie as `responses` says; items
/// have `listeners` each, or up to half of them more. Every input has an item, also where nobody
/// hears it.
ConvolveLayout convolve_layout(const SpectralBankShape& shape, const BankLayout& responses,
                               std::size_t inputs, std::uint32_t listeners);

/// How many listeners leave work for all of a device of `multiprocessors`.
std::uint32_t listeners_of_items(std::size_t outputs, std::uint32_t bins,
                                 std::uint32_t multiprocessors);

/// Bytes that one block of a stream loads, of `value_bytes` (a Complex) each bin: windows and
/// responses. The floor is every window that is heard and every response once.
BlockBytes convolve_bytes(const ConvolveLayout& layout, std::uint32_t bins, std::size_t value_bytes,
                          bool compact = false);

}  // namespace firbank::cuda
