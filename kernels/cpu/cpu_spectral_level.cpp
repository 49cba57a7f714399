#include "kernels/cpu/cpu_spectral_level.hpp"

#include <algorithm>
#include <utility>

namespace firbank {
namespace {

/// Samples in one cache line: the padding between stretches of a power-of-two size.
template <class Sample>
constexpr std::size_t kPadding = kCacheLineBytes / sizeof(Sample);

}  // namespace

template <class Sample>
CpuSpectralLevel<Sample>::CpuSpectralLevel(InstructionSet set, const LevelShape& shape)
    : shape_(shape),
      fft_(*real_fft<Sample>(set)),
      mac_(*spectral_mac<Sample>(set)),
      plan_(shape.bins, fft_.traits),
      delay_line_stride_(2 * shape.bins * shape.slots + kPadding<Sample>),
      delay_lines_(delay_line_stride_ * shape.inputs),
      work_stride_(2 * shape.bins + kPadding<Sample>),
      work_(work_stride_ * shape.threads) {}

template <class Sample>
std::unique_ptr<SpectralBank<Sample>> CpuSpectralLevel<Sample>::make_bank(
    SpectralBankShape shape) const {
  return std::make_unique<CpuSpectralBank<Sample>>(*this, std::move(shape));
}

template <class Sample>
void CpuSpectralLevel<Sample>::forward(std::size_t slot, const Window<Sample>& window,
                                       IndexRange inputs, std::size_t thread) noexcept {
  const std::size_t chunk = plan_.chunk_samples();
  Sample* work = work_.data() + thread * work_stride_;
  for (std::size_t input = inputs.first; input < inputs.last; ++input) {
    Sample* spectrum = delay_lines_.data() + input * delay_line_stride_ + slot * chunk;
    fft_.forward(plan_, window.older[input], window.newer[input], work, spectrum,
                 shape_.slots * chunk);
  }
}

template <class Sample>
CpuSpectralBank<Sample>::CpuSpectralBank(const CpuSpectralLevel<Sample>& level,
                                         SpectralBankShape shape)
    : level_(level),
      partitions_(std::move(shape.partitions)),
      spectrum_stride_(2 * level.shape_.bins + kPadding<Sample>),
      sums_(3 * spectrum_stride_ * level.shape_.outputs),
      frames_((level.shape_.bins + kPadding<Sample>)*level.shape_.threads),
      load_(4 * level.shape_.bins) {
  const TransformPlan<Sample>& plan = level_.plan_;
  std::size_t size = 0;
  for (const IndexRange& range : partitions_) {
    response_start_.push_back(size);
    size += 2 * plan.points * (range.last - range.first) + kPadding<Sample>;
  }
  responses_.resize(size);
  for (const std::vector<ResponseTerm>& of_output : shape.terms) {
    std::vector<MacTerm<Sample>>& terms = terms_.emplace_back();
    for (const ResponseTerm& term : of_output) {
      const IndexRange& range = partitions_[term.response];
      terms.push_back({level_.delay_line(term.input),
                       responses_.data() + response_start_[term.response],
                       (range.last - range.first) * plan.chunk_samples(), range.first, range.last});
    }
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::load(std::size_t response, std::span<const Sample> taps) {
  const TransformPlan<Sample>& plan = level_.plan_;
  const std::size_t block = level_.shape_.block_frames;
  const std::size_t partitions = partitions_[response].last - partitions_[response].first;
  Sample* work = load_.data();
  Sample* padded = work + 2 * plan.points;
  Sample* silence = padded + plan.points;
  // The inverse is not normalised; the responses carry its factor.
  const Sample scale = Sample{1} / static_cast<Sample>(plan.points);
  const std::size_t chunk = plan.chunk_samples();
  for (std::size_t p = 0; p < partitions; ++p) {
    std::fill_n(padded, plan.points, Sample{0});
    const std::size_t first = std::min(p * block, taps.size());
    const std::size_t last = std::min(first + block, taps.size());
    for (std::size_t k = first; k < last; ++k) padded[k - first] = taps[k] * scale;
    level_.fft_.forward(plan, padded, silence, work,
                        responses_.data() + response_start_[response] + p * chunk,
                        partitions * chunk);
  }
}

template <class Sample>
Sample* CpuSpectralBank<Sample>::sum(Sum which, std::size_t output) noexcept {
  const std::size_t index = which == Sum::kNow ? 0 : which == Sum::kReady ? ready_ : 3 - ready_;
  return sums_.data() + (index * level_.shape_.outputs + output) * spectrum_stride_;
}

template <class Sample>
void CpuSpectralBank<Sample>::accumulate(Sum to, const Sum* from, std::size_t newest,
                                         IndexRange partitions, IndexRange outputs) noexcept {
  const TransformPlan<Sample>& plan = level_.plan_;
  MacJob<Sample> job;
  job.chunks = plan.chunks();
  job.chunk_samples = plan.chunk_samples();
  job.plane_lanes = plan.plane_lanes;
  job.slots = level_.shape_.slots;
  job.input_stride = job.slots * job.chunk_samples;
  job.newest = newest;
  job.first_partition = partitions.first;
  job.last_partition = partitions.last;
  for (std::size_t output = outputs.first; output < outputs.last; ++output) {
    job.terms = terms_[output];
    job.from = from == nullptr ? nullptr : sum(*from, output);
    job.to = sum(to, output);
    level_.mac_.run(job);
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::inverse(Sample* const* newest, IndexRange frames, IndexRange outputs,
                                      std::size_t thread) noexcept {
  const TransformPlan<Sample>& plan = level_.plan_;
  const bool whole = frames.first == 0 && frames.last == plan.points;
  Sample* scratch = frames_.data() + thread * (plan.points + kPadding<Sample>);
  for (std::size_t output = outputs.first; output < outputs.last; ++output) {
    Sample* spectrum = sum(Sum::kNow, output);
    level_.fft_.inverse(plan, spectrum, whole ? newest[output] : scratch);
    if (!whole) {
      std::copy(scratch + frames.first, scratch + frames.last, newest[output]);
    }
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::exchange_ready_and_next() noexcept {
  ready_ = 3 - ready_;
}

template class CpuSpectralLevel<float>;
template class CpuSpectralLevel<double>;
template class CpuSpectralBank<float>;
template class CpuSpectralBank<double>;

}  // namespace firbank
