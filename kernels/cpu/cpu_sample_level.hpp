// CpuSampleLevel, CpuDirectBank: the direct form in the CPU's memory, over the caller's samples.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/aligned_vector.hpp"
#include "kernels/backend.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace firbank {

template <class Sample>
class CpuSampleLevel final : public SampleLevel<Sample> {
 public:
  explicit CpuSampleLevel(InstructionSet set) : fir_(*direct_fir<Sample>(set)) {}

  std::unique_ptr<DirectBank<Sample>> make_bank(DirectBankShape shape) const override;
  void take(const SamplePiece<Sample>& piece) noexcept override { newest_ = piece.newest; }
  void submit() noexcept override {}
  bool collect() noexcept override { return true; }
  bool can_collect(std::size_t) const noexcept override { return true; }

 private:
  template <class>
  friend class CpuDirectBank;

  const DirectFir<Sample>& fir_;
  const Sample* const* newest_ = nullptr;  // of each input: the piece, behind its past
};

template <class Sample>
class CpuDirectBank final : public DirectBank<Sample> {
 public:
  CpuDirectBank(const CpuSampleLevel<Sample>& level, DirectBankShape shape);

  void load(std::size_t response, std::span<const Sample> taps) override;
  void end_load() override {}
  void replace(std::size_t response, std::span<const Sample> taps) override;
  void run(Sample* const* out, std::size_t frames, IndexRange outputs) noexcept override;

 private:
  const CpuSampleLevel<Sample>& level_;
  DirectBankShape shape_;
  std::vector<AlignedVector<Sample>> reversed_;  // taps of each response, last to first
};

extern template class CpuSampleLevel<float>;
extern template class CpuSampleLevel<double>;
extern template class CpuDirectBank<float>;
extern template class CpuDirectBank<double>;

}  // namespace firbank
