#include "kernels/cpu/cpu_backend.hpp"

#include "kernels/cpu/cpu_sample_level.hpp"
#include "kernels/cpu/cpu_spectral_level.hpp"

namespace firbank {

CpuBackend::CpuBackend(InstructionSet set)
    : set_(set), name_(backend_name(set)), instruction_set_(firbank::name(set)) {}

std::pmr::memory_resource* CpuBackend::memory() const noexcept {
  return std::pmr::new_delete_resource();
}

std::unique_ptr<SpectralLevel<float>> CpuBackend::make_level_float(
    const LevelShape& shape, SpectralLevel<float>* /*first*/) const {
  return std::make_unique<CpuSpectralLevel<float>>(set_, shape);
}

std::unique_ptr<SpectralLevel<double>> CpuBackend::make_level_double(
    const LevelShape& shape, SpectralLevel<double>* /*first*/) const {
  return std::make_unique<CpuSpectralLevel<double>>(set_, shape);
}

std::unique_ptr<SampleLevel<float>> CpuBackend::make_sample_level_float(
    const SampleLevelShape& /*shape*/) const {
  return std::make_unique<CpuSampleLevel<float>>(set_);
}

std::unique_ptr<SampleLevel<double>> CpuBackend::make_sample_level_double(
    const SampleLevelShape& /*shape*/) const {
  return std::make_unique<CpuSampleLevel<double>>(set_);
}

}  // namespace firbank
