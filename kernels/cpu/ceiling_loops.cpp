#include "kernels/cpu/ceiling_loops.hpp"

#include <array>

#include "kernels/cpu/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/ceiling_loops.cpp"
#include <hwy/foreach_target.h>
// The header that holds the arithmetic comes after foreach_target, once per target.
#include "kernels/cpu/ceiling_loops-inl.h"

#if HWY_ONCE
namespace firbank {
namespace {

// As many sums as twelve of the smallest vectors hold: what the compiler makes of plain code may
// use them.
template <class Sample>
inline constexpr std::size_t kPlainSums = 12 * 16 / sizeof(Sample);

template <class Sample>
Sample total(const std::array<Sample, kPlainSums<Sample>>& sums) {
  Sample sum = 0;
  for (const Sample each : sums) sum += each;
  return sum;
}

template <class Sample>
Sample plain_read(const Sample* data, std::size_t samples) noexcept {
  constexpr std::size_t kStep = kCeilingReadBytes / sizeof(Sample) / 8;
  static_assert(kStep <= kPlainSums<Sample>);
  std::array<Sample, kPlainSums<Sample>> sums{};
  for (std::size_t n = 0; n < samples; n += kStep) {
    for (std::size_t k = 0; k < kStep; ++k) sums[k] += data[n + k];
  }
  return total(sums);
}

template <class Sample>
Sample plain_multiply_add(std::size_t rounds, Sample scale, Sample step) noexcept {
  std::array<Sample, kPlainSums<Sample>> sums;
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = step * static_cast<Sample>(k);
  for (std::size_t n = 0; n < rounds; ++n) {
    for (Sample& sum : sums) sum = sum * scale + step;
  }
  return total(sums);
}

template <class Sample>
const CeilingLoops<Sample>* plain_loops() noexcept {
  static constexpr CeilingLoops<Sample> kLoops = {&plain_read<Sample>, &plain_multiply_add<Sample>,
                                                  2 * kPlainSums<Sample>};
  return &kLoops;
}

}  // namespace

template <class Sample>
const CeilingLoops<Sample>* ceiling_loops(InstructionSet set) noexcept {
  FIRBANK_SELECT(set, ceiling_loops_kernel<Sample>())
  return set == InstructionSet::kScalar ? plain_loops<Sample>() : nullptr;
}

template const CeilingLoops<float>* ceiling_loops<float>(InstructionSet) noexcept;
template const CeilingLoops<double>* ceiling_loops<double>(InstructionSet) noexcept;

}  // namespace firbank
#endif  // HWY_ONCE
