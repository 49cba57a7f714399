#include "kernels/cuda/cuda_spectral_level.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "kernels/cuda/launch_shape.hpp"
#include "kernels/cuda/transform_tables.hpp"

namespace firbank {

using cuda::CallNumber;
using cuda::Complex;
using cuda::Kernel;

template <class Sample>
CudaSpectralLevel<Sample>::CudaSpectralLevel(std::shared_ptr<cuda::Accelerator> accelerator,
                                             const LevelShape& shape,
                                             std::chrono::milliseconds patience,
                                             CudaSpectralLevel* first)
    : accelerator_(std::move(accelerator)),
      shape_(shape),
      first_(first == nullptr ? this : first),
      transform_(
          cuda::transform_shape<Sample>(static_cast<std::uint32_t>(std::countr_zero(shape.bins)))),
      twiddles_(device_copy(accelerator_, cuda::transform_twiddles(transform_))),
      delay_lines_(accelerator_, convolves() ? 0 : shape.inputs * shape.slots * shape.bins),
      work_(accelerator_, transform_.outer > 0 ? shape.inputs * shape.bins : 0) {
  transform_.twiddles = twiddles_->data();
  if (is_first()) {
    rings_ =
        std::make_unique<cuda::DeviceMemory<Sample>>(accelerator_, shape.inputs * ring_frames());
    const cuda::StreamShape stream{.inputs = shape.inputs,
                                   .outputs = shape.outputs,
                                   .bins = shape.bins,
                                   .fresh_frames = 2 * shape.bins,
                                   .frames = shape.block_frames,
                                   .pieces = shape.pieces,
                                   .copies = shape.copies,
                                   .copiers = shape.copiers};
    stream_ = std::make_unique<cuda::CommandStream<Sample>>(accelerator_, stream, patience);
  } else {
    // Slices differ by no more than a share.
    constexpr std::size_t kSharesOfSlice = 8;
    const std::size_t shares = std::bit_ceil(kSharesOfSlice * shape.slices);
    log2_share_bins_ = static_cast<std::uint32_t>(
        std::countr_zero(std::max<std::size_t>(shape.bins / shares, cuda::kChunkBins)));
    number_ = stream().add_level();
    first_->later_.push_back(this);
  }
  first_->make_forward_graph();
}

/// What is under way may still reach what this level has.
template <class Sample>
CudaSpectralLevel<Sample>::~CudaSpectralLevel() {
  stream().finish();
}

template <class Sample>
Shares CudaSpectralLevel<Sample>::shares() const noexcept {
  Shares shares;
  shares.outputs = shape_.outputs;
  if (!is_first()) shares.accumulate = shape_.bins >> log2_share_bins_;
  return shares;
}

/// The longest window; and what arrives until a later level has transformed the last of it, of
/// which one that convolves has none.
template <class Sample>
std::uint32_t CudaSpectralLevel<Sample>::ring_frames() const noexcept {
  if (convolves()) return 2 * bins();
  return static_cast<std::uint32_t>(4 * std::max(shape_.bins, shape_.longest_bins));
}

template <class Sample>
std::uint32_t CudaSpectralLevel<Sample>::slice_bins() const noexcept {
  return static_cast<std::uint32_t>((shape_.bins + shape_.slices - 1) / shape_.slices);
}

template <class Sample>
std::uint32_t CudaSpectralLevel<Sample>::launched(std::size_t items) const noexcept {
  constexpr std::size_t kThreadsThatFill = 4'096;  // of a multiprocessor, twice what it holds
  const std::size_t threads = kThreadsThatFill * accelerator_->info().multiprocessors;
  const std::size_t most = is_first() ? items : std::max<std::size_t>(threads * 8 / bins(), 1);
  return static_cast<std::uint32_t>(std::min(items, most));
}

template <class Sample>
cuda::ForwardParams<Sample> CudaSpectralLevel<Sample>::forward_params() const {
  return {.transform = transform_,
          .current = stream().current(number_),
          .inputs = static_cast<std::uint32_t>(shape_.inputs),
          .slice = launched(shape_.inputs),
          .ring_frames = first_->ring_frames(),
          .rings = first_->rings_->data(),
          .stage_in = stream().stage_in(),
          .slots = static_cast<std::uint32_t>(shape_.slots),
          .delay_lines = delay_lines_.data(),
          .work = work_.data(),
          .outer_pass = 0};
}

template <class Sample>
CallNumber CudaSpectralLevel<Sample>::add_forward(cuda::KernelCalls& calls,
                                                  CallNumber after) const {
  cuda::ForwardParams<Sample> params = forward_params();
  for (; params.outer_pass < transform_.outer; ++params.outer_pass) {
    after = calls.add(Kernel::kForwardOuter, sizeof(Sample), params, {after});
  }
  return calls.add(Kernel::kForward, sizeof(Sample), params, {after});
}

/// What is launched while no bank takes part. The first level fills the rings that all others read.
template <class Sample>
void CudaSpectralLevel<Sample>::make_forward_graph() {
  cuda::KernelCalls calls;
  const CallNumber begin = calls.add(Kernel::kBegin, sizeof(Sample), stream_->params());
  const CallNumber first =
      convolves() ? calls.add(Kernel::kListen, sizeof(Sample), forward_params(), {begin})
                  : add_forward(calls, begin);
  std::vector<CallNumber> last;
  for (const CudaSpectralLevel* level : later_) last.push_back(level->add_forward(calls, first));
  if (last.empty()) last.push_back(first);
  calls.add(Kernel::kEnd, sizeof(Sample), stream_->params(), last);
  stream_->set_forward_graph(std::make_unique<cuda::Graph>(accelerator_, calls));
}

template <class Sample>
std::unique_ptr<SpectralBank<Sample>> CudaSpectralLevel<Sample>::make_bank(
    SpectralBankShape shape, SpectralBank<Sample>* first) const {
  return std::make_unique<CudaSpectralBank<Sample>>(*this, shape,
                                                    static_cast<CudaSpectralBank<Sample>*>(first));
}

template <class Sample>
void CudaSpectralLevel<Sample>::forward(std::size_t slot, const Window<Sample>& window,
                                        IndexRange inputs, IndexRange, std::size_t) noexcept {
  // Rings have a power of two of frames, so that their places follow from the clock's low bits.
  const std::int64_t first = window.newer_start - static_cast<std::int64_t>(shape_.bins);
  const std::uint32_t start = static_cast<std::uint32_t>(first) & (first_->ring_frames() - 1);
  if (is_first()) {
    stream_->forward(slot, start, window);
  } else {
    stream().forward(number_, slot, start, window.silent, inputs);
  }
}

template <class Sample>
CudaSpectralBank<Sample>::CudaSpectralBank(const CudaSpectralLevel<Sample>& level,
                                           const SpectralBankShape& shape, CudaSpectralBank* first)
    : level_(level),
      first_(first == nullptr ? this : first),
      layout_(level.convolves() ? cuda::response_layout(shape) : cuda::bank_layout(shape)),
      convolve_layout_(level.convolves()
                           ? cuda::convolve_layout(shape, layout_, level.shape_.inputs,
                                                   cuda::listeners_of_items(
                                                       level.shape_.outputs, level.bins(),
                                                       level.accelerator_->info().multiprocessors))
                           : cuda::ConvolveLayout{}),
      splits_(cuda::accumulate_splits(layout_, level.slice_bins(), sizeof(Complex<Sample>),
                                      level.accelerator_->info().multiprocessors)),
      partitions_(shape.partitions),
      is_compact_(shape.compact),
      responses_(level.accelerator_, is_compact_ ? 0 : layout_.spectra * level.shape_.bins),
      multiples_(level.accelerator_, is_compact_ ? layout_.spectra * level.shape_.bins : 0),
      scales_(level.accelerator_, multiples_.size() / cuda::kGroupBins),
      sums_(level.accelerator_, (level.convolves()                     ? 0
                                 : shape.carried == CarriedSums::kNone ? 1
                                                                       : 3) *
                                    level.shape_.outputs * level.shape_.bins),
      answers_(level.accelerator_,
               shape.keeps_answers ? 2 * level.shape_.outputs * level.shape_.bins : 0),
      work_(level.accelerator_,
            level.transform_.outer > 0 ? level.shape_.outputs * level.shape_.bins : 0),
      shares_(level.accelerator_,
              splits_ > 1 ? splits_ * level.shape_.outputs * level.shape_.bins : 0),
      done_(level.accelerator_, 1),
      tiles_(device_copy(level.accelerator_, layout_.tiles)),
      terms_(device_copy(level.accelerator_, layout_.terms)),
      tile_outputs_(device_copy(level.accelerator_, layout_.tile_outputs)),
      output_tile_(device_copy(level.accelerator_, layout_.output_tile)),
      output_position_(device_copy(level.accelerator_, layout_.output_position)),
      items_(device_copy(level.accelerator_, convolve_layout_.items)),
      listeners_(device_copy(level.accelerator_, convolve_layout_.listeners)) {
  if (first != nullptr) first->later_.push_back(this);
}

template <class Sample>
cuda::Bank<Sample> CudaSpectralBank<Sample>::bank() const {
  return {.bins = level_.bins(),
          .slots = static_cast<std::uint32_t>(level_.shape_.slots),
          .outputs = static_cast<std::uint32_t>(level_.shape_.outputs),
          .tiles = static_cast<std::uint32_t>(layout_.tiles.size()),
          .delay_lines = level_.delay_lines_.data(),
          .responses = responses_.data(),
          .multiples = multiples_.data(),
          .scales = scales_.data(),
          .sums = sums_.data(),
          .tile = tiles_->data(),
          .tile_outputs = tile_outputs_->data(),
          .terms = terms_->data(),
          .output_tile = output_tile_->data(),
          .output_position = output_position_->data()};
}

template <class Sample>
cuda::RenderParams<Sample> CudaSpectralBank<Sample>::render_params() const {
  const cuda::CommandStream<Sample>& stream = level_.stream();
  const bool is_first = level_.is_first();
  // Later levels have their sums in one piece.
  const std::uint32_t terms = is_first ? layout_.most_terms : 1;
  const cuda::Transform<Sample> transform = cuda::render_transform(level_.transform_, terms);
  cuda::RenderParams<Sample> params{
      .transform = transform,
      .current = stream.current(level_.number_),
      .bank = bank(),
      .slice = level_.launched(level_.shape_.outputs),
      .stage_out = is_first ? stream.stage_out() : answers_.data(),
      .answer_frames =
          is_first ? static_cast<std::uint32_t>(level_.shape_.block_frames) : level_.bins(),
      .work = work_.data(),
      .outer_pass = 0,
      .done = done_.data(),
      .signals = 0,
      .number = stream.number(),
      .progress = stream.progress(),
      .ways = cuda::render_ways(transform, terms),
      .later_levels = static_cast<std::uint32_t>(later_.size()),
      .later = {}};
  for (std::size_t k = 0; k < later_.size(); ++k) {
    const CudaSpectralBank& later = *later_[k];
    params.later[k] = {.current = stream.current(later.level_.number_),
                       .answers = later.answers_.data(),
                       .log2_bins = later.level_.transform_.log2_bins};
  }
  return params;
}

template <class Sample>
CallNumber CudaSpectralBank<Sample>::add_render(cuda::KernelCalls& calls, CallNumber after) const {
  const bool signals = level_.is_first();
  cuda::RenderParams<Sample> params = render_params();
  params.signals = signals && level_.transform_.outer == 0 ? 1 : 0;
  after = calls.add(Kernel::kRender, sizeof(Sample), params, {after});
  for (std::uint32_t pass = level_.transform_.outer; pass-- > 0;) {
    params.outer_pass = pass;
    params.signals = signals && pass == 0 ? 1 : 0;
    after = calls.add(Kernel::kInverseOuter, sizeof(Sample), params, {after});
  }
  return after;
}

template <class Sample>
CallNumber CudaSpectralBank<Sample>::add_accumulate(cuda::KernelCalls& calls,
                                                    CallNumber after) const {
  const cuda::AccumulateParams<Sample> params{
      .current = level_.stream().current(level_.number_),
      .bank = bank(),
      // Slices are not all alike.
      .slice = std::min(level_.bins(), 2 * level_.slice_bins()),
      .splits = splits_,
      .shares = shares_.data()};
  after = calls.add(Kernel::kAccumulate, sizeof(Sample), params, {after});
  if (splits_ > 1) after = calls.add(Kernel::kReduce, sizeof(Sample), params, {after});
  return after;
}

/// What the newest block's answer waits for comes first, and alone: nothing competes with it.
/// Behind it each level is a branch. They have no memory in common that any of them writes: of
/// delay lines, sums, shares, work and answers each level has its own, and of the rings, which all
/// read, the first level's forward is the only writer. Nothing of a branch may begin sooner: an
/// accumulate of the first level may replace sums that its render reads, and a render of a later
/// one answers that it adds. The last kernel comes behind all branches, as it tells that none goes
/// on.
template <class Sample>
void CudaSpectralBank<Sample>::add_all(cuda::KernelCalls& calls, bool with_forward) const {
  const auto add_forward = [&](const CudaSpectralLevel<Sample>& level, CallNumber after) {
    return with_forward ? level.add_forward(calls, after) : after;
  };
  const cuda::CommandParams command = level_.stream().params();
  const CallNumber begin = calls.add(Kernel::kBegin, sizeof(Sample), command);
  const CallNumber answered = add_render(calls, add_forward(level_, begin));
  std::vector<CallNumber> last{add_accumulate(calls, answered)};
  for (const CudaSpectralBank* later : later_) {
    const CallNumber summed = later->add_accumulate(calls, add_forward(later->level_, answered));
    last.push_back(later->add_render(calls, summed));
  }
  calls.add(Kernel::kEnd, sizeof(Sample), command, last);
}

/// With a forward of the same command, or without: the window is there either way.
template <class Sample>
void CudaSpectralBank<Sample>::make_convolving_graph() {
  cuda::ConvolveParams<Sample> params{
      .forward = level_.forward_params(),
      .render = render_params(),
      .items = static_cast<std::uint32_t>(convolve_layout_.items.size()),
      .item = items_->data(),
      .listener = listeners_->data()};
  params.render.signals = 1;
  cuda::KernelCalls calls;
  const cuda::CommandParams command = level_.stream().params();
  const CallNumber begin = calls.add(Kernel::kBegin, sizeof(Sample), command);
  const CallNumber convolved = calls.add(Kernel::kConvolve, sizeof(Sample), params, {begin});
  calls.add(Kernel::kEnd, sizeof(Sample), command, {convolved});
  graphs_.whole = std::make_unique<cuda::Graph>(level_.accelerator_, calls);
}

template <class Sample>
void CudaSpectralBank<Sample>::end_load() {
  if (first_ != this) return;
  if (level_.convolves()) return make_convolving_graph();
  for (const bool whole : {true, false}) {
    cuda::KernelCalls calls;
    add_all(calls, whole);
    auto graph = std::make_unique<cuda::Graph>(level_.accelerator_, calls);
    (whole ? graphs_.whole : graphs_.alone) = std::move(graph);
  }
}

template <class Sample>
CudaSpectralBank<Sample>::~CudaSpectralBank() {
  level_.stream().finish(first_->graphs_.last_command);
}

/// The device reads its banks while the host goes on, and packs them as they were made.
template <class Sample>
void CudaSpectralBank<Sample>::replace(std::size_t, IndexRange, std::span<const Sample>) {
  throw BackendError("one filter of a bank cannot be replaced on a GPU; swap the bank");
}

/// As the kernel reads responses that meets them.
template <class Sample>
std::uint32_t CudaSpectralBank<Sample>::log2_run() const noexcept {
  if (!level_.convolves()) return 0;
  return static_cast<std::uint32_t>(std::countr_zero(
      is_compact_ ? cuda::kConvolveRun<cuda::Multiple> : cuda::kConvolveRun<Complex<Sample>>));
}

template <class Sample>
void CudaSpectralBank<Sample>::load(std::size_t response, std::span<const Sample> taps) {
  if (taps.empty()) return;
  cuda::DeviceMemory<Sample> uploaded(level_.accelerator_, taps.size());
  uploaded.upload(taps);
  const std::size_t bins = level_.shape_.bins;
  const std::size_t count = partitions_[response].last - partitions_[response].first;
  const std::size_t first = layout_.response_spectra[response] * bins;
  const cuda::DeviceMemory<Complex<Sample>> full(level_.accelerator_,
                                                 is_compact_ ? count * bins : 0);
  cuda::LoadParams<Sample> params{.transform = level_.transform_,
                                  .count = static_cast<std::uint32_t>(count),
                                  .hop = static_cast<std::uint32_t>(level_.shape_.partition_taps),
                                  .taps_count = taps.size(),
                                  .taps = uploaded.data(),
                                  .spectra = is_compact_ ? full.data() : responses_.data() + first,
                                  // The inverse is not normalised; the responses carry its factor.
                                  .scale = Sample{1} / static_cast<Sample>(bins),
                                  .log2_run = log2_run(),
                                  .outer_pass = 0};
  cuda::KernelCalls calls;
  for (; params.outer_pass < level_.transform_.outer; ++params.outer_pass) {
    calls.add(Kernel::kLoadOuter, sizeof(Sample), params);
  }
  calls.add(Kernel::kLoad, sizeof(Sample), params);
  if constexpr (sizeof(Sample) == sizeof(float)) {
    if (is_compact_) {
      const cuda::CompactParams compact{.groups = count * bins / cuda::kGroupBins,
                                        .spectra = full.data(),
                                        .multiples = multiples_.data() + first,
                                        .scales = scales_.data() + first / cuda::kGroupBins};
      calls.add(Kernel::kCompact, sizeof(Sample), compact);
    }
  }
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
                                          IndexRange partitions, IndexRange, IndexRange shares,
                                          std::size_t) noexcept {
  if (level_.is_first()) {
    level_.stream().accumulate(graphs_, place(to), from == nullptr ? cuda::kNone : place(*from),
                               newest, partitions);
    return;
  }
  const std::uint32_t log2_bins = level_.log2_share_bins_;
  level_.stream().accumulate(first_->graphs_, level_.number_, newest, partitions,
                             {shares.first << log2_bins, shares.last << log2_bins});
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
  level_.stream().render(graphs_, out, frames);
}

template <class Sample>
void CudaSpectralBank<Sample>::keep(std::size_t place, IndexRange outputs, IndexRange,
                                    std::size_t) noexcept {
  const std::size_t bins = level_.shape_.bins;
  level_.stream().keep(first_->graphs_, level_.number_, place, outputs, {bins, 2 * bins});
}

template <class Sample>
void CudaSpectralBank<Sample>::add_kept(std::size_t place, Sample* const*, IndexRange frames,
                                        IndexRange) noexcept {
  level_.stream().add(first_->graphs_, level_.number_, place, frames.first - level_.shape_.bins);
}

template class CudaSpectralLevel<float>;
template class CudaSpectralLevel<double>;
template class CudaSpectralBank<float>;
template class CudaSpectralBank<double>;

}  // namespace firbank
