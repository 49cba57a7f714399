#include "kernels/cuda/cuda_backend.hpp"

#include <new>
#include <utility>

#include "kernels/cuda/cuda_sample_level.hpp"
#include "kernels/cuda/cuda_spectral_level.hpp"

namespace firbank {
namespace {

/// Host memory that the device reads and writes as well.
class PinnedResource final : public std::pmr::memory_resource {
 public:
  explicit PinnedResource(std::shared_ptr<cuda::Accelerator> accelerator)
      : accelerator_(std::move(accelerator)) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t) override {
    void* memory = nullptr;
    if (accelerator_->api().allocate_pinned(accelerator_->device(), bytes, &memory) != FIRBANK_OK) {
      throw std::bad_alloc();
    }
    return memory;
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override {
    accelerator_->api().release_pinned(accelerator_->device(), memory);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::shared_ptr<cuda::Accelerator> accelerator_;
};

}  // namespace

CudaBackend::CudaBackend(const firbank_device_api& api, const CudaOptions& options)
    : options_(options),
      accelerator_(std::make_shared<cuda::Accelerator>(api, options.device)),
      memory_(std::make_unique<PinnedResource>(accelerator_)),
      name_("cuda:" + std::to_string(options.device)) {
  const std::uint32_t capability = accelerator_->info().compute_capability;
  instruction_set_ = "CUDA " + std::to_string(capability / 10) + "." +
                     std::to_string(capability % 10) + ", " + accelerator_->info().name;
}

CudaBackend::~CudaBackend() = default;

std::unique_ptr<SpectralLevel<float>> CudaBackend::make_level_float(
    const LevelShape& shape, SpectralLevel<float>* first) const {
  return std::make_unique<CudaSpectralLevel<float>>(accelerator_, shape, options_.patience,
                                                    static_cast<CudaSpectralLevel<float>*>(first));
}

std::unique_ptr<SpectralLevel<double>> CudaBackend::make_level_double(
    const LevelShape& shape, SpectralLevel<double>* first) const {
  return std::make_unique<CudaSpectralLevel<double>>(
      accelerator_, shape, options_.patience, static_cast<CudaSpectralLevel<double>*>(first));
}

std::unique_ptr<SampleLevel<float>> CudaBackend::make_sample_level_float(
    const SampleLevelShape& shape) const {
  return std::make_unique<CudaSampleLevel<float>>(accelerator_, shape, options_.patience);
}

std::unique_ptr<SampleLevel<double>> CudaBackend::make_sample_level_double(
    const SampleLevelShape& shape) const {
  return std::make_unique<CudaSampleLevel<double>>(accelerator_, shape, options_.patience);
}

}  // namespace firbank
