#include "kernels/cpu/cpu_backend.hpp"

#include <utility>

#include "kernels/cpu/cpu_direct_bank.hpp"
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

std::unique_ptr<DirectBank<float>> CpuBackend::make_direct_float(DirectBankShape shape) const {
  return std::make_unique<CpuDirectBank<float>>(set_, std::move(shape));
}

std::unique_ptr<DirectBank<double>> CpuBackend::make_direct_double(DirectBankShape shape) const {
  return std::make_unique<CpuDirectBank<double>>(set_, std::move(shape));
}

}  // namespace firbank
