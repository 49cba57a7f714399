// CudaSampleLevel, CudaDirectBank: the direct form on a device, where the inputs' past lies in
// rings and the taps beside it.
//
// A piece of a stream is one launch of one graph: take the command, put the fresh samples into the
// rings, sum. Its answer is all that it does, so the host waits for the whole of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "kernels/backend.hpp"
#include "kernels/cuda/accelerator.hpp"
#include "kernels/cuda/command_stream.hpp"
#include "kernels/cuda/direct_layout.hpp"

namespace firbank {

template <class Sample>
class CudaSampleLevel final : public SampleLevel<Sample> {
 public:
  /// Throws: BackendError.
  CudaSampleLevel(std::shared_ptr<cuda::Accelerator> accelerator, const SampleLevelShape& shape,
                  std::chrono::milliseconds patience);
  ~CudaSampleLevel() override;

  std::unique_ptr<DirectBank<Sample>> make_bank(DirectBankShape shape) const override;
  void take(const SamplePiece<Sample>& piece) noexcept override;
  void submit() noexcept override { stream_->submit(); }
  bool collect() noexcept override { return stream_->collect(); }
  bool can_collect(std::size_t pieces) const noexcept override {
    return stream_->can_collect(pieces);
  }

 private:
  template <class>
  friend class CudaDirectBank;

  /// Behind call `after` of a graph; returns its own number.
  cuda::CallNumber add_take(cuda::KernelCalls& calls, cuda::CallNumber after) const;

  std::shared_ptr<cuda::Accelerator> accelerator_;
  SampleLevelShape shape_;
  std::uint32_t ring_frames_;
  cuda::DeviceMemory<Sample> rings_;
  std::uint32_t position_ = 0;  // in the rings, of the next piece
  // Banks are made beside the running path and only add their commands to it later.
  std::unique_ptr<cuda::CommandStream<Sample>> stream_;
};

template <class Sample>
class CudaDirectBank final : public DirectBank<Sample> {
 public:
  /// Throws: BackendError.
  CudaDirectBank(const CudaSampleLevel<Sample>& level, const DirectBankShape& shape);
  ~CudaDirectBank() override;

  void load(std::size_t response, std::span<const Sample> taps) override;
  void end_load() override;
  void replace(std::size_t response, std::span<const Sample> taps) override;
  void run(Sample* const* out, std::size_t frames, IndexRange outputs) noexcept override;

 private:
  /// Likewise: the last call's.
  cuda::CallNumber add_sums(cuda::KernelCalls& calls, cuda::CallNumber after) const;

  const CudaSampleLevel<Sample>& level_;
  cuda::DirectLayout layout_;
  cuda::DirectCut cut_;
  cuda::DeviceMemory<Sample> taps_;
  cuda::DeviceMemory<Sample> shares_;
  cuda::DeviceMemory<std::uint32_t> done_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Tile>> tiles_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Term>> terms_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> tile_outputs_;
  cuda::BankGraphs graphs_;
};

extern template class CudaSampleLevel<float>;
extern template class CudaSampleLevel<double>;
extern template class CudaDirectBank<float>;
extern template class CudaDirectBank<double>;

}  // namespace firbank
