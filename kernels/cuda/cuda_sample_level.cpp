#include "kernels/cuda/cuda_sample_level.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace firbank {
namespace {

using cuda::CallNumber;
using cuda::Kernel;

/// What the longest response looks back to and the piece, in whole chunks; and the chunks that a
/// thread reads for its taps beyond the last, which are zero.
template <class Sample>
std::uint32_t ring_frames_of(const SampleLevelShape& shape) {
  constexpr std::size_t kChunk = cuda::kChunkBytes / sizeof(Sample);
  const std::size_t chunks = (shape.reach + shape.piece_frames + kChunk - 1) / kChunk;
  return static_cast<std::uint32_t>((chunks + cuda::kTapChunks) * kChunk);
}

}  // namespace

template <class Sample>
CudaSampleLevel<Sample>::CudaSampleLevel(std::shared_ptr<cuda::Accelerator> accelerator,
                                         const SampleLevelShape& shape,
                                         std::chrono::milliseconds patience)
    : accelerator_(std::move(accelerator)),
      shape_(shape),
      ring_frames_(ring_frames_of<Sample>(shape)),
      rings_(accelerator_, shape.inputs * ring_frames_),
      stream_(std::make_unique<cuda::CommandStream<Sample>>(
          accelerator_,
          cuda::StreamShape{.inputs = shape.inputs,
                            .outputs = shape.outputs,
                            .fresh_frames = shape.piece_frames,
                            .frames = shape.piece_frames,
                            .pieces = shape.pieces,
                            .copies = shape.copies,
                            .copiers = shape.copiers},
          patience)) {
  // What is launched while no bank takes part.
  cuda::KernelCalls calls;
  const CallNumber begin = calls.add(Kernel::kBegin, sizeof(Sample), stream_->params());
  calls.add(Kernel::kEnd, sizeof(Sample), stream_->params(), {add_take(calls, begin)});
  stream_->set_forward_graph(std::make_unique<cuda::Graph>(accelerator_, calls));
}

/// What is under way may still reach what this level has.
template <class Sample>
CudaSampleLevel<Sample>::~CudaSampleLevel() {
  stream_->finish();
}

template <class Sample>
CallNumber CudaSampleLevel<Sample>::add_take(cuda::KernelCalls& calls, CallNumber after) const {
  return calls.add(
      Kernel::kTakeSamples, sizeof(Sample),
      cuda::SampleParams<Sample>{.current = stream_->current(0),
                                 .inputs = static_cast<std::uint32_t>(shape_.inputs),
                                 .piece_frames = static_cast<std::uint32_t>(shape_.piece_frames),
                                 .ring_frames = ring_frames_,
                                 .rings = rings_.data(),
                                 .stage_in = stream_->stage_in()},
      {after});
}

template <class Sample>
std::unique_ptr<DirectBank<Sample>> CudaSampleLevel<Sample>::make_bank(
    DirectBankShape shape) const {
  return std::make_unique<CudaDirectBank<Sample>>(*this, shape);
}

template <class Sample>
void CudaSampleLevel<Sample>::take(const SamplePiece<Sample>& piece) noexcept {
  const Window<Sample> window{.samples = piece.samples,
                              .fresh = {0, piece.frames},
                              .silent = piece.begins ? shape_.reach : 0};
  stream_->forward(0, position_, window);
  position_ = static_cast<std::uint32_t>((position_ + piece.frames) % ring_frames_);
}

template <class Sample>
CudaDirectBank<Sample>::CudaDirectBank(const CudaSampleLevel<Sample>& level,
                                       const DirectBankShape& shape)
    : level_(level),
      layout_(cuda::direct_layout(shape, sizeof(Sample))),
      cut_(cuda::direct_cut(layout_, level.shape_.piece_frames, sizeof(Sample),
                            level.accelerator_->info().multiprocessors)),
      taps_(level.accelerator_, layout_.bank.spectra * cuda::kChunkBytes / sizeof(Sample)),
      shares_(level.accelerator_,
              cut_.splits > 1 ? cut_.splits * level.shape_.outputs * level.shape_.piece_frames : 0),
      done_(level.accelerator_, 1),
      tiles_(device_copy(level.accelerator_, layout_.bank.tiles)),
      terms_(device_copy(level.accelerator_, layout_.bank.terms)),
      tile_outputs_(device_copy(level.accelerator_, layout_.bank.tile_outputs)) {}

template <class Sample>
CudaDirectBank<Sample>::~CudaDirectBank() {
  level_.stream_->finish(graphs_.last_command);
}

template <class Sample>
void CudaDirectBank<Sample>::load(std::size_t response, std::span<const Sample> taps) {
  cuda::Accelerator& accelerator = *level_.accelerator_;
  accelerator.require(
      accelerator.api().upload(accelerator.device(), taps_.data() + layout_.first[response],
                               taps.data(), taps.size_bytes()),
      "copy a filter to device memory");
}

template <class Sample>
CallNumber CudaDirectBank<Sample>::add_sums(cuda::KernelCalls& calls, CallNumber after) const {
  const cuda::CommandStream<Sample>& stream = *level_.stream_;
  cuda::DirectParams<Sample> params{
      .current = stream.current(0),
      .outputs = static_cast<std::uint32_t>(level_.shape_.outputs),
      .tiles = static_cast<std::uint32_t>(layout_.bank.tiles.size()),
      .most_outputs = layout_.most_outputs,
      .steps = layout_.steps,
      .piece_frames = static_cast<std::uint32_t>(level_.shape_.piece_frames),
      .stretches = cut_.stretches,
      .at_once = cut_.at_once,
      .ring_frames = level_.ring_frames_,
      .splits = cut_.splits,
      .rings = level_.rings_.data(),
      .taps = taps_.data(),
      .tile = tiles_->data(),
      .tile_outputs = tile_outputs_->data(),
      .terms = terms_->data(),
      .shares = shares_.data(),
      .stage_out = stream.stage_out(),
      .done = done_.data(),
      .signals = cut_.splits > 1 ? 0U : 1U,
      .number = stream.number(),
      .progress = stream.progress()};
  const Kernel kernel = layout_.most_outputs == 1 ? Kernel::kDirectRows : Kernel::kDirect;
  const CallNumber summed = calls.add(kernel, sizeof(Sample), params, {after});
  if (cut_.splits == 1) return summed;
  params.signals = 1;
  return calls.add(Kernel::kDirectReduce, sizeof(Sample), params, {summed});
}

template <class Sample>
void CudaDirectBank<Sample>::end_load() {
  for (const bool whole : {true, false}) {
    cuda::KernelCalls calls;
    const cuda::CommandParams command = level_.stream_->params();
    const CallNumber begin = calls.add(Kernel::kBegin, sizeof(Sample), command);
    const CallNumber taken = whole ? level_.add_take(calls, begin) : begin;
    calls.add(Kernel::kEnd, sizeof(Sample), command, {add_sums(calls, taken)});
    auto graph = std::make_unique<cuda::Graph>(level_.accelerator_, calls);
    (whole ? graphs_.whole : graphs_.alone) = std::move(graph);
  }
}

/// The device reads its banks while the host goes on, and packs them as they were made.
template <class Sample>
void CudaDirectBank<Sample>::replace(std::size_t, std::span<const Sample>) {
  throw BackendError("one filter of a bank cannot be replaced on a GPU; swap the bank");
}

template <class Sample>
void CudaDirectBank<Sample>::run(Sample* const* out, std::size_t frames, IndexRange) noexcept {
  level_.stream_->render(graphs_, out, {0, frames});
}

template class CudaSampleLevel<float>;
template class CudaSampleLevel<double>;
template class CudaDirectBank<float>;
template class CudaDirectBank<double>;

}  // namespace firbank
