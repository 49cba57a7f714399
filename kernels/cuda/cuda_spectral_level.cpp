#include "kernels/cuda/cuda_spectral_level.hpp"

#include <bit>
#include <utility>

#include "kernels/cuda/launch_shape.hpp"
#include "kernels/cuda/transform_tables.hpp"

namespace firbank {

using cuda::Complex;
using cuda::Kernel;

template <class Sample>
CudaSpectralLevel<Sample>::CudaSpectralLevel(std::shared_ptr<cuda::Accelerator> accelerator,
                                             const LevelShape& shape,
                                             std::chrono::milliseconds patience)
    : accelerator_(std::move(accelerator)),
      shape_(shape),
      transform_(
          cuda::transform_shape<Sample>(static_cast<std::uint32_t>(std::countr_zero(shape.bins)))),
      ring_frames_(static_cast<std::uint32_t>(4 * shape.bins)),
      twiddles_(device_copy(accelerator_, cuda::transform_twiddles(transform_))),
      rings_(accelerator_, shape.inputs * ring_frames_),
      delay_lines_(accelerator_, shape.inputs * shape.slots * shape.bins),
      work_(accelerator_, transform_.outer > 0 ? shape.inputs * shape.bins : 0),
      stream_(std::make_unique<cuda::CommandStream<Sample>>(accelerator_, shape, patience)) {
  transform_.twiddles = twiddles_->data();
  cuda::KernelCalls calls;
  calls.add(Kernel::kBegin, sizeof(Sample), stream_->params());
  add_forward(calls);
  calls.add(Kernel::kEnd, sizeof(Sample), stream_->params());
  stream_->set_forward_graph(std::make_unique<cuda::Graph>(accelerator_, calls));
}

template <class Sample>
void CudaSpectralLevel<Sample>::add_forward(cuda::KernelCalls& calls) const {
  cuda::ForwardParams<Sample> params{.transform = transform_,
                                     .current = stream_->current(),
                                     .inputs = static_cast<std::uint32_t>(shape_.inputs),
                                     .ring_frames = ring_frames_,
                                     .rings = rings_.data(),
                                     .stage_in = stream_->stage_in(),
                                     .slots = static_cast<std::uint32_t>(shape_.slots),
                                     .delay_lines = delay_lines_.data(),
                                     .work = work_.data(),
                                     .outer_pass = 0};
  for (; params.outer_pass < transform_.outer; ++params.outer_pass) {
    calls.add(Kernel::kForwardOuter, sizeof(Sample), params);
  }
  calls.add(Kernel::kForward, sizeof(Sample), params);
}

template <class Sample>
std::unique_ptr<SpectralBank<Sample>> CudaSpectralLevel<Sample>::make_bank(
    SpectralBankShape shape) const {
  return std::make_unique<CudaSpectralBank<Sample>>(*this, shape);
}

template <class Sample>
void CudaSpectralLevel<Sample>::forward(std::size_t slot, const Window<Sample>& window, IndexRange,
                                        IndexRange, std::size_t) noexcept {
  // Rings have a power of two of frames, so that their places follow from the clock's low bits.
  const std::int64_t first = window.newer_start - static_cast<std::int64_t>(shape_.bins);
  stream_->forward(slot, static_cast<std::uint32_t>(first) & (ring_frames_ - 1), window);
}

template <class Sample>
CudaSpectralBank<Sample>::CudaSpectralBank(const CudaSpectralLevel<Sample>& level,
                                           const SpectralBankShape& shape)
    : level_(level),
      layout_(cuda::bank_layout(shape)),
      partitions_(shape.partitions),
      responses_(level.accelerator_, layout_.spectra * level.shape_.bins),
      sums_(level.accelerator_, 3 * level.shape_.outputs * level.shape_.bins),
      work_(level.accelerator_,
            level.transform_.outer > 0 ? level.shape_.outputs * level.shape_.bins : 0),
      shares_(level.accelerator_,
              cuda::accumulate_splits(layout_, static_cast<std::uint32_t>(level.shape_.bins),
                                      sizeof(Complex<Sample>),
                                      level.accelerator_->info().multiprocessors) *
                  level.shape_.outputs * level.shape_.bins),
      done_(level.accelerator_, 1),
      tiles_(device_copy(level.accelerator_, layout_.tiles)),
      terms_(device_copy(level.accelerator_, layout_.terms)),
      tile_outputs_(device_copy(level.accelerator_, layout_.tile_outputs)),
      output_tile_(device_copy(level.accelerator_, layout_.output_tile)),
      output_position_(device_copy(level.accelerator_, layout_.output_position)) {
  const auto bins = static_cast<std::uint32_t>(level.shape_.bins);
  const auto outputs = static_cast<std::uint32_t>(level.shape_.outputs);
  const cuda::CommandStream<Sample>& stream = *level.stream_;
  const cuda::Bank<Sample> bank{.bins = bins,
                                .slots = static_cast<std::uint32_t>(level.shape_.slots),
                                .outputs = outputs,
                                .tiles = static_cast<std::uint32_t>(layout_.tiles.size()),
                                .delay_lines = level.delay_lines_.data(),
                                .responses = responses_.data(),
                                .sums = sums_.data(),
                                .tile = tiles_->data(),
                                .tile_outputs = tile_outputs_->data(),
                                .terms = terms_->data(),
                                .output_tile = output_tile_->data(),
                                .output_position = output_position_->data()};
  const std::uint32_t outer = level.transform_.outer;
  cuda::RenderParams<Sample> render{
      .transform = level.transform_,
      .current = stream.current(),
      .bank = bank,
      .stage_out = stream.stage_out(),
      .work = work_.data(),
      .outer_pass = 0,
      .done = done_.data(),
      .signals = outer == 0 ? 1U : 0U,
      .progress = stream.progress(),
      .ways = cuda::render_ways(level.transform_, layout_.most_terms)};
  const auto splits = static_cast<std::uint32_t>(shares_.size() / (std::size_t{outputs} * bins));
  const cuda::AccumulateParams<Sample> accumulate{
      .current = stream.current(), .bank = bank, .splits = splits, .shares = shares_.data()};

  for (const bool whole : {true, false}) {
    cuda::KernelCalls calls;
    calls.add(Kernel::kBegin, sizeof(Sample), stream.params());
    if (whole) level.add_forward(calls);
    render.signals = outer == 0 ? 1 : 0;
    calls.add(Kernel::kRender, sizeof(Sample), render);
    for (std::uint32_t pass = outer; pass-- > 0;) {
      render.outer_pass = pass;
      render.signals = pass == 0 ? 1 : 0;
      calls.add(Kernel::kInverseOuter, sizeof(Sample), render);
    }
    calls.add(Kernel::kAccumulate, sizeof(Sample), accumulate);
    if (splits > 1) calls.add(Kernel::kReduce, sizeof(Sample), accumulate);
    calls.add(Kernel::kEnd, sizeof(Sample), stream.params());
    auto graph = std::make_unique<cuda::Graph>(level.accelerator_, calls);
    (whole ? graphs_.whole : graphs_.alone) = std::move(graph);
  }
}

template <class Sample>
CudaSpectralBank<Sample>::~CudaSpectralBank() {
  level_.stream_->finish(graphs_.last_command);
}

template <class Sample>
void CudaSpectralBank<Sample>::load(std::size_t response, std::span<const Sample> taps) {
  if (taps.empty()) return;
  cuda::DeviceMemory<Sample> uploaded(level_.accelerator_, taps.size());
  uploaded.upload(taps);
  const std::size_t bins = level_.shape_.bins;
  cuda::LoadParams<Sample> params{
      .transform = level_.transform_,
      .count = static_cast<std::uint32_t>(partitions_[response].last - partitions_[response].first),
      .hop = static_cast<std::uint32_t>(level_.shape_.block_frames),
      .taps_count = taps.size(),
      .taps = uploaded.data(),
      .spectra = responses_.data() + layout_.response_spectra[response] * bins,
      // The inverse is not normalised; the responses carry its factor.
      .scale = Sample{1} / static_cast<Sample>(bins),
      .outer_pass = 0};
  cuda::KernelCalls calls;
  for (; params.outer_pass < level_.transform_.outer; ++params.outer_pass) {
    calls.add(Kernel::kLoadOuter, sizeof(Sample), params);
  }
  calls.add(Kernel::kLoad, sizeof(Sample), params);
  cuda::Accelerator& accelerator = *level_.accelerator_;
  accelerator.require(
      accelerator.api().run(accelerator.device(), calls.calls().data(), calls.calls().size()),
      "transform a filter");
}

template <class Sample>
std::uint32_t CudaSpectralBank<Sample>::place(Sum sum) const noexcept {
  return sum == Sum::kNow ? 0 : sum == Sum::kReady ? ready_ : 3 - ready_;
}

template <class Sample>
void CudaSpectralBank<Sample>::accumulate(Sum to, const Sum* from, std::size_t newest,
                                          IndexRange partitions, IndexRange, IndexRange,
                                          std::size_t) noexcept {
  level_.stream_->accumulate(graphs_, place(to), from == nullptr ? cuda::kNone : place(*from),
                             newest, partitions);
}

template <class Sample>
void CudaSpectralBank<Sample>::accumulate_pair(std::size_t newest, IndexRange outputs,
                                               IndexRange shares, std::size_t thread) noexcept {
  const std::size_t slots = level_.shape_.slots;
  const std::size_t after = (newest + slots - 1) % slots;
  accumulate(Sum::kNow, nullptr, newest, {0, slots}, outputs, shares, thread);
  accumulate(Sum::kNext, nullptr, after, {1, slots}, outputs, shares, thread);
}

template <class Sample>
void CudaSpectralBank<Sample>::inverse(Sample* const* out, IndexRange frames, IndexRange,
                                       IndexRange, std::size_t) noexcept {
  const std::size_t bins = level_.shape_.bins;
  level_.stream_->render(graphs_, out, {frames.first - bins, frames.last - bins});
}

template class CudaSpectralLevel<float>;
template class CudaSpectralLevel<double>;
template class CudaSpectralBank<float>;
template class CudaSpectralBank<double>;

}  // namespace firbank
