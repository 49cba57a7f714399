// DirectFir: convolution as a sum of products, on one instruction set.
#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

template <class Sample>
struct DirectFir {
  /// out[n] += sum_i reversed[i] * newest[n - taps + 1 + i], for n below `frames`; `reversed` holds
  /// the taps last to first. Sums of at most kDirectRun products are added up at a time.
  void (*add)(const Sample* newest, const Sample* reversed, std::size_t taps, Sample* out,
              std::size_t frames) noexcept;

  /// out[n] = the same sum, for `out` that does not overlap the input.
  void (*set)(const Sample* newest, const Sample* reversed, std::size_t taps, Sample* out,
              std::size_t frames) noexcept;

  /// out[k] = sum_i reversed[i] * oldest[k * step + i], for k below `count`: of frames `step`
  /// apart, each by itself. The same sums, in another order.
  void (*decimate)(const Sample* oldest, const Sample* reversed, std::size_t taps, std::size_t step,
                   Sample* out, std::size_t count) noexcept;
};

inline constexpr std::size_t kDirectRun = 64;

/// Null when this build has none for `set`.
template <class Sample>
const DirectFir<Sample>* direct_fir(InstructionSet set) noexcept;

}  // namespace firbank
