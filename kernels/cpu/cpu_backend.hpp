// CpuBackend: the bulk operations on one instruction set of the CPU.
#pragma once

#include <string>

#include "kernels/backend.hpp"
#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

class CpuBackend final : public Backend {
 public:
  /// `set` must be supported here.
  explicit CpuBackend(InstructionSet set);

  const std::string& name() const noexcept override { return name_; }
  const std::string& instruction_set() const noexcept override { return instruction_set_; }
  std::pmr::memory_resource* memory() const noexcept override;
  std::size_t max_threads() const noexcept override { return kMaxThreads; }
  bool has_shares() const noexcept override { return true; }
  bool keeps_samples() const noexcept override { return false; }
  bool has_compact_spectra() const noexcept override { return true; }
  std::uint64_t free_memory_bytes() const noexcept override { return 0; }
  bool can_be_lost() const noexcept override { return false; }
  std::string failure() const override { return {}; }
  std::unique_ptr<SpectralLevel<float>> make_level_float(
      const LevelShape& shape, SpectralLevel<float>* first) const override;
  std::unique_ptr<SpectralLevel<double>> make_level_double(
      const LevelShape& shape, SpectralLevel<double>* first) const override;
  std::unique_ptr<SampleLevel<float>> make_sample_level_float(
      const SampleLevelShape& shape) const override;
  std::unique_ptr<SampleLevel<double>> make_sample_level_double(
      const SampleLevelShape& shape) const override;

 private:
  static constexpr std::size_t kMaxThreads = 64;

  InstructionSet set_;
  std::string name_;
  std::string instruction_set_;
};

}  // namespace firbank
