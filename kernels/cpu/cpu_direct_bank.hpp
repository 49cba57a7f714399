// CpuDirectBank: responses in direct form in the CPU's memory.
#pragma once

#include <vector>

#include "kernels/aligned_vector.hpp"
#include "kernels/backend.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace firbank {

template <class Sample>
class CpuDirectBank final : public DirectBank<Sample> {
 public:
  CpuDirectBank(InstructionSet set, DirectBankShape shape);

  void load(std::size_t response, std::span<const Sample> taps) override;
  void replace(std::size_t response, std::span<const Sample> taps) override;
  void run(const Sample* const* newest, Sample* const* out, std::size_t frames,
           IndexRange outputs) noexcept override;

 private:
  const DirectFir<Sample>& fir_;
  DirectBankShape shape_;
  std::vector<AlignedVector<Sample>> reversed_;  // taps of each response, last to first
};

extern template class CpuDirectBank<float>;
extern template class CpuDirectBank<double>;

}  // namespace firbank
