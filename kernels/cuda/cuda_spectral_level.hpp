// CudaSpectralLevel, CudaSpectralBank: delay lines, partitions and sums in a device's memory.
//
// A piece of a stream is one launch of one graph: take the command, forward, render for the newest
// block; and then, side by side, accumulate for the next one and do a slice of each later level's
// work. The host waits for the rendered frames only; the rest runs on while the next piece arrives.
//
// Samples go to the device once: later levels find theirs in the first one's rings, and their
// answers stay on the device until the first level renders.
//
// Where nothing is carried from block to block and every output hears one input at the most, a
// piece is one kernel (kConvolve): no spectra and no sums are kept, and each bank transforms the
// windows of its inputs by itself.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/accelerator.hpp"
#include "kernels/cuda/bank_layout.hpp"
#include "kernels/cuda/command_stream.hpp"
#include "kernels/cuda/convolve_layout.hpp"

namespace firbank {

template <class Sample>
class CudaSpectralLevel final : public SpectralLevel<Sample> {
 public:
  /// `first` is null for the first level of an engine. Throws: BackendError.
  CudaSpectralLevel(std::shared_ptr<cuda::Accelerator> accelerator, const LevelShape& shape,
                    std::chrono::milliseconds patience, CudaSpectralLevel* first);
  ~CudaSpectralLevel() override;

  std::unique_ptr<SpectralBank<Sample>> make_bank(SpectralBankShape shape,
                                                  SpectralBank<Sample>* first) const override;
  Shares shares() const noexcept override;
  void forward(std::size_t slot, const Window<Sample>& window, IndexRange inputs, IndexRange shares,
               std::size_t thread) noexcept override;
  void submit() noexcept override { stream_->submit(); }
  bool collect() noexcept override { return stream_->collect(); }
  bool can_collect(std::size_t pieces) const noexcept override {
    return stream_->can_collect(pieces);
  }

 private:
  template <class>
  friend class CudaSpectralBank;

  bool is_first() const noexcept { return first_ == this; }
  /// Whether a kernel does all at once, as an inner transform is a whole one.
  bool convolves() const noexcept { return shape_.single_terms && transform_.outer == 0; }
  std::uint32_t ring_frames() const noexcept;
  cuda::CommandStream<Sample>& stream() const noexcept { return *first_->stream_; }
  std::uint32_t bins() const noexcept { return static_cast<std::uint32_t>(shape_.bins); }
  /// Bins of a slice, when they are spread evenly.
  std::uint32_t slice_bins() const noexcept;
  /// How many of `items` transforms a launch has threads for: all, as a later level's come in few
  /// pieces, or as many as fill the device.
  std::uint32_t launched(std::size_t items) const noexcept;
  cuda::ForwardParams<Sample> forward_params() const;
  /// Adds the transforms to a graph, behind call `after`; returns the last call.
  cuda::CallNumber add_forward(cuda::KernelCalls& calls, cuda::CallNumber after) const;
  void make_forward_graph();

  std::shared_ptr<cuda::Accelerator> accelerator_;
  LevelShape shape_;
  CudaSpectralLevel* first_;  // itself in the first level
  cuda::Transform<Sample> transform_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Complex<Sample>>> twiddles_;
  cuda::DeviceMemory<cuda::Complex<Sample>> delay_lines_;
  cuda::DeviceMemory<cuda::Complex<Sample>> work_;
  std::uint32_t number_ = 0;
  std::uint32_t log2_share_bins_ = 0;  // of a later level

  // The first level's.
  std::unique_ptr<cuda::DeviceMemory<Sample>> rings_;
  std::vector<const CudaSpectralLevel*> later_;
  // Banks are made beside the running path and only add their commands to it later.
  std::unique_ptr<cuda::CommandStream<Sample>> stream_;
};

template <class Sample>
class CudaSpectralBank final : public SpectralBank<Sample> {
 public:
  using Sum = typename SpectralBank<Sample>::Sum;

  /// `first` is null for a bank of the first level. Throws: BackendError.
  CudaSpectralBank(const CudaSpectralLevel<Sample>& level, const SpectralBankShape& shape,
                   CudaSpectralBank* first);
  ~CudaSpectralBank() override;

  void load(std::size_t response, std::span<const Sample> taps) override;
  void end_load() override;
  void replace(std::size_t response, IndexRange partitions, std::span<const Sample> taps) override;
  void accumulate(Sum to, const Sum* from, std::size_t newest, IndexRange partitions,
                  IndexRange outputs, IndexRange shares, std::size_t thread) noexcept override;
  void accumulate_pair(std::size_t newest, IndexRange outputs, IndexRange shares,
                       std::size_t thread) noexcept override;
  void inverse(Sample* const* out, IndexRange frames, IndexRange outputs, IndexRange shares,
               std::size_t thread) noexcept override;
  void exchange_ready_and_next() noexcept override { ready_ = 3 - ready_; }
  void keep(std::size_t place, IndexRange outputs, IndexRange shares,
            std::size_t thread) noexcept override;
  void add_kept(std::size_t place, Sample* const* out, IndexRange frames,
                IndexRange outputs) noexcept override;

 private:
  std::uint32_t place(Sum sum) const noexcept;
  cuda::Bank<Sample> bank() const;
  cuda::RenderParams<Sample> render_params() const;
  void make_convolving_graph();
  std::uint32_t log2_run() const noexcept;  // LoadParams::log2_run
  // As CudaSpectralLevel::add_forward().
  cuda::CallNumber add_render(cuda::KernelCalls& calls, cuda::CallNumber after) const;
  cuda::CallNumber add_accumulate(cuda::KernelCalls& calls, cuda::CallNumber after) const;
  void add_all(cuda::KernelCalls& calls, bool with_forward) const;

  const CudaSpectralLevel<Sample>& level_;
  CudaSpectralBank* first_;  // itself in the first level
  cuda::BankLayout layout_;  // responses only, where the level convolves
  cuda::ConvolveLayout convolve_layout_;
  std::uint32_t splits_;
  std::vector<IndexRange> partitions_;  // of each response
  bool is_compact_;
  cuda::DeviceMemory<cuda::Complex<Sample>> responses_;
  cuda::DeviceMemory<cuda::Multiple> multiples_;
  cuda::DeviceMemory<cuda::Scale> scales_;
  cuda::DeviceMemory<cuda::Complex<Sample>> sums_;
  cuda::DeviceMemory<Sample> answers_;  // of a later level
  cuda::DeviceMemory<cuda::Complex<Sample>> work_;
  cuda::DeviceMemory<cuda::Complex<Sample>> shares_;
  cuda::DeviceMemory<std::uint32_t> done_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Tile>> tiles_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Term>> terms_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> tile_outputs_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> output_tile_;
  std::unique_ptr<cuda::DeviceMemory<std::uint32_t>> output_position_;
  std::unique_ptr<cuda::DeviceMemory<cuda::ConvolveItem>> items_;
  std::unique_ptr<cuda::DeviceMemory<cuda::Listener>> listeners_;
  std::vector<const CudaSpectralBank*> later_;  // of the first level's bank
  cuda::BankGraphs graphs_;
  std::uint32_t ready_ = 1;  // where sum kReady lies; kNext has the other place, kNow place 0
};

extern template class CudaSpectralLevel<float>;
extern template class CudaSpectralLevel<double>;
extern template class CudaSpectralBank<float>;
extern template class CudaSpectralBank<double>;

}  // namespace firbank
