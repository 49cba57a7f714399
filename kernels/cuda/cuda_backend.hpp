// CudaBackend: the bulk operations on a GPU, through the plug-in's interface. One thread drives it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "kernels/backend.hpp"
#include "kernels/cuda/accelerator.hpp"

namespace firbank {

struct CudaOptions {
  int device = 0;
  /// How long a piece may take before the device counts as lost.
  std::chrono::milliseconds patience{2'000};
};

class CudaBackend final : public Backend {
 public:
  /// Throws: BackendError when the device cannot be opened. `api` must outlive the backend.
  CudaBackend(const firbank_device_api& api, const CudaOptions& options);
  ~CudaBackend() override;

  const std::string& name() const noexcept override { return name_; }
  const std::string& instruction_set() const noexcept override { return instruction_set_; }
  std::pmr::memory_resource* memory() const noexcept override { return memory_.get(); }
  std::size_t max_threads() const noexcept override { return 1; }
  bool has_shares() const noexcept override { return false; }
  bool keeps_samples() const noexcept override { return true; }
  bool has_compact_spectra() const noexcept override { return true; }
  std::uint64_t free_memory_bytes() const noexcept override {
    return accelerator_->info().free_bytes;
  }
  bool can_be_lost() const noexcept override { return true; }
  std::string failure() const override { return accelerator_->failure(); }
  std::unique_ptr<SpectralLevel<float>> make_level_float(
      const LevelShape& shape, SpectralLevel<float>* first) const override;
  std::unique_ptr<SpectralLevel<double>> make_level_double(
      const LevelShape& shape, SpectralLevel<double>* first) const override;
  std::unique_ptr<SampleLevel<float>> make_sample_level_float(
      const SampleLevelShape& shape) const override;
  std::unique_ptr<SampleLevel<double>> make_sample_level_double(
      const SampleLevelShape& shape) const override;

 private:
  CudaOptions options_;
  std::shared_ptr<cuda::Accelerator> accelerator_;
  std::unique_ptr<std::pmr::memory_resource> memory_;
  std::string name_;
  std::string instruction_set_;
};

}  // namespace firbank
