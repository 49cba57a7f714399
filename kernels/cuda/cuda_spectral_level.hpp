// CudaSpectralLevel, CudaSpectralBank: delay lines, partitions and sums in a device's memory.
//
// A piece of a stream is one launch of one graph: take the command, forward, render for the newest
// block, then accumulate for the next one. The host waits for the rendered frames only; the rest
// runs on while the next piece arrives.
#pragma once

#include <chrono>
#include <memory>

#include "kernels/backend.hpp"
#include "kernels/cuda/accelerator.hpp"
#include "kernels/cuda/bank_layout.hpp"
#include "kernels/cuda/command_stream.hpp"

namespace firbank {

template <class Sample>
class CudaSpectralLevel final : public SpectralLevel<Sample> {
 public:
  /// Throws: BackendError.
  CudaSpectralLevel(std::shared_ptr<cuda::Accelerator> accelerator, const LevelShape& shape,
                    std::chrono::milliseconds patience);

  std::unique_ptr<SpectralBank<Sample>> make_bank(SpectralBankShape shape) const override;
  Shares shares() const noexcept override { return {.outputs = shape_.outputs}; }
  void forward(std::size_t slot, const Window<Sample>& window, IndexRange inputs, IndexRange shares,
               std::size_t thread) noexcept override;
  void submit() noexcept override { stream_->submit(); }
  bool collect() noexcept override { return stream_->collect(); }

 private:
  template <class>
  friend class CudaSpectralBank;

  void add_forward(cuda::KernelCalls& calls) const;

  std::shared_ptr<cuda::Accelerator> accelerator_;
  LevelShape shape_;
  cuda::Transform<Sample> transform_;
  std::uint32_t ring_frames_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Complex<Sample>>> twiddles_;
  cuda::DeviceMemory<Sample> rings_;
  cuda::DeviceMemory<cuda::Complex<Sample>> delay_lines_;
  cuda::DeviceMemory<cuda::Complex<Sample>> work_;
  // Banks are made beside the running path and only add their commands to it later.
  std::unique_ptr<cuda::CommandStream<Sample>> stream_;
};

template <class Sample>
class CudaSpectralBank final : public SpectralBank<Sample> {
 public:
  using Sum = typename SpectralBank<Sample>::Sum;

  /// Throws: BackendError.
  CudaSpectralBank(const CudaSpectralLevel<Sample>& level, const SpectralBankShape& shape);
  ~CudaSpectralBank() override;

  void load(std::size_t response, std::span<const Sample> taps) override;
  void end_load() noexcept override {}
  void accumulate(Sum to, const Sum* from, std::size_t newest, IndexRange partitions,
                  IndexRange outputs, IndexRange shares, std::size_t thread) noexcept override;
  void accumulate_pair(std::size_t newest, IndexRange outputs, IndexRange shares,
                       std::size_t thread) noexcept override;
  void inverse(Sample* const* out, IndexRange frames, IndexRange outputs, IndexRange shares,
               std::size_t thread) noexcept override;
  void exchange_ready_and_next() noexcept override { ready_ = 3 - ready_; }

 private:
  std::uint32_t place(Sum sum) const noexcept;

  const CudaSpectralLevel<Sample>& level_;
  cuda::BankLayout layout_;
  std::vector<IndexRange> partitions_;  // of each response
  cuda::DeviceMemory<cuda::Complex<Sample>> responses_;
  cuda::DeviceMemory<cuda::Complex<Sample>> sums_;
  cuda::DeviceMemory<cuda::Complex<Sample>> work_;
  cuda::DeviceMemory<cuda::Complex<Sample>> shares_;
  cuda::DeviceMemory<std::uint32_t> done_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Tile>> tiles_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Term>> terms_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> tile_outputs_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> output_tile_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> output_position_;
  cuda::BankGraphs graphs_;
  std::uint32_t ready_ = 1;  // where sum kReady lies; kNext has the other place, kNow place 0
};

extern template class CudaSpectralLevel<float>;
extern template class CudaSpectralLevel<double>;
extern template class CudaSpectralBank<float>;
extern template class CudaSpectralBank<double>;

}  // namespace firbank
