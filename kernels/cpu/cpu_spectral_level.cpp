#include "kernels/cpu/cpu_spectral_level.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace firbank {
namespace {

// What the sums of a tile may take, to be still in the cache when they are transformed back.
constexpr std::size_t kTileBytes = std::size_t{512} << 10;

/// Samples in one cache line: the padding between stretches of a power-of-two size.
template <class Sample>
constexpr std::size_t kPadding = kCacheLineBytes / sizeof(Sample);

/// Of each output.
constexpr std::size_t sums_carried(CarriedSums carried) {
  switch (carried) {
    case CarriedSums::kNone:
      return 0;
    case CarriedSums::kReadyAndNext:
      return 2;
    default:
      return 1;
  }
}

/// Whether two outputs read the same inputs for the same partitions, term for term.
bool read_alike(const std::vector<IndexRange>& partitions, const std::vector<ResponseTerm>& a,
                const std::vector<ResponseTerm>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [&](const ResponseTerm& s, const ResponseTerm& t) {
        const IndexRange& of_s = partitions[s.response];
        const IndexRange& of_t = partitions[t.response];
        return s.input == t.input && of_s.first == of_t.first && of_s.last == of_t.last;
      });
}

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
    SpectralBankShape shape, SpectralBank<Sample>* /*first*/) const {
  return std::make_unique<CpuSpectralBank<Sample>>(*this, std::move(shape));
}

template <class Sample>
Shares CpuSpectralLevel<Sample>::shares() const noexcept {
  const std::size_t sum_bytes = 2 * shape_.bins * sizeof(Sample);
  return {.forward = plan_.steps.size(),
          .accumulate = plan_.chunks(),
          .inverse = plan_.steps.size(),
          // A power of two, so that sum() can mask an output's number.
          .outputs = std::clamp<std::size_t>(kTileBytes / sum_bytes, 1,
                                             std::min(kMacTile, std::bit_ceil(shape_.outputs)))};
}

template <class Sample>
void CpuSpectralLevel<Sample>::forward(std::size_t slot, const Window<Sample>& window,
                                       IndexRange inputs, IndexRange shares,
                                       std::size_t thread) noexcept {
  const std::size_t chunk = plan_.chunk_samples();
  Sample* work = work_.data() + thread * work_stride_;
  for (std::size_t input = inputs.first; input < inputs.last; ++input) {
    Sample* spectrum = delay_lines_.data() + input * delay_line_stride_ + slot * chunk;
    fft_.forward_steps(plan_, window.older[input], window.newer[input], work, spectrum,
                       shape_.slots * chunk, shares.first, shares.last);
  }
}

template <class Sample>
CpuSpectralBank<Sample>::CpuSpectralBank(const CpuSpectralLevel<Sample>& level,
                                         SpectralBankShape shape)
    : level_(level),
      partitions_(std::move(shape.partitions)),
      shape_(std::move(shape.terms)),
      is_compact_(shape.compact),
      spectrum_stride_(2 * level.shape_.bins + kPadding<Sample>),
      tile_outputs_(level.shares().outputs),
      is_half_(shape.carried == CarriedSums::kHalfOfNext),
      middle_(level.plan_.chunks() / 2 * level.plan_.chunk_samples()),
      carried_stride_(spectrum_stride_ - (is_half_ ? middle_ : 0)),
      carried_(level.shape_.threads * tile_outputs_ * spectrum_stride_),
      sums_(carried_ + sums_carried(shape.carried) * level.shape_.outputs * carried_stride_),
      // Kept answers are whole, and need no place before they go to theirs.
      frames_stride_(shape.keeps_answers ? 0
                                         : (level.has_long_blocks() ? 2 : 1) * level.shape_.bins +
                                               kPadding<Sample>),
      frames_(frames_stride_ * level.shape_.threads) {
  const TransformPlan<Sample>& plan = level_.plan_;
  place_responses();
  for (const std::vector<ResponseTerm>& of_output : shape_) {
    std::vector<MacTerm<Sample>>& terms = terms_.emplace_back();
    for (const ResponseTerm& term : of_output) terms.push_back(term_of(term));
  }
  job_.chunk_samples = plan.chunk_samples();
  job_.plane_lanes = plan.plane_lanes;
  job_.slots = level.shape_.slots;
  job_.input_stride = job_.slots * job_.chunk_samples;
  for (std::size_t output = 0; output < shape_.size(); ++output) tile_.push_back(tile_of(output));
  if (shape.keeps_answers) make_answers();
}

/// Outputs from this one on that read alike, as many as are summed together.
template <class Sample>
std::size_t CpuSpectralBank<Sample>::tile_of(std::size_t output) const noexcept {
  std::size_t count = 1;
  while (count < kMacTile && output + count < shape_.size() &&
         read_alike(partitions_, shape_[output], shape_[output + count])) {
    ++count;
  }
  return count;
}

template <class Sample>
void CpuSpectralBank<Sample>::make_answers() {
  for (std::size_t output = 0; output < shape_.size(); ++output) {
    has_answers_.push_back(has_answer(output));
  }
  const std::size_t stride = level_.shape_.bins + kPadding<Sample>;
  answers_.resize(2 * shape_.size() * stride);
  for (std::size_t k = 0; k < 2 * shape_.size(); ++k) {
    answer_.push_back(answers_.data() + k * stride);
  }
}

template <class Sample>
bool CpuSpectralBank<Sample>::has_answer(std::size_t output) const noexcept {
  return std::any_of(shape_[output].begin(), shape_[output].end(), [&](const ResponseTerm& term) {
    return partitions_[term.response].first < partitions_[term.response].last;
  });
}

template <class Sample>
typename CpuSpectralBank<Sample>::Spectra& CpuSpectralBank<Sample>::spectra_of(
    std::size_t response) noexcept {
  const auto outgrown = outgrown_.find(response);
  return outgrown == outgrown_.end() ? spectra_ : outgrown->second;
}

template <class Sample>
MacTerm<Sample> CpuSpectralBank<Sample>::term_of(const ResponseTerm& term) noexcept {
  const Place& place = places_[term.response];
  const Spectra& spectra = spectra_of(term.response);
  MacTerm<Sample> result;
  result.input = level_.delay_line(term.input);
  if (is_compact_) {
    result.compact = spectra.compact.data() + place.start;
    result.scales = spectra.scales.data() + place.scale_start;
  } else {
    result.response = spectra.full.data() + place.start;
  }
  result.response_stride = place.chunk_stride;
  result.scale_stride = place.scale_stride;
  result.first_partition = partitions_[term.response].first;
  result.last_partition = partitions_[term.response].last;
  return result;
}

/// Responses lie as they are read: one chunk of all that outputs hear which are summed together,
/// output by output, then the next chunk. So they are one stretch of memory, however many inputs
/// those outputs have.
template <class Sample>
void CpuSpectralBank<Sample>::place_responses() {
  const TransformPlan<Sample>& plan = level_.plan_;
  const std::size_t padding =
      kCacheLineBytes / (is_compact_ ? sizeof(std::int16_t) : sizeof(Sample));
  places_.resize(partitions_.size());
  std::vector<bool> is_placed(partitions_.size());
  std::size_t start = 0;
  std::size_t scale_start = 0;
  std::vector<std::size_t> group;  // of responses that lie together
  std::size_t group_partitions = 0;
  const auto add = [&](std::size_t response) {
    if (is_placed[response]) return;
    is_placed[response] = true;
    group.push_back(response);
    places_[response].start = start + group_partitions * plan.chunk_samples();
    places_[response].scale_start = scale_start + group_partitions * plan.plane_lanes;
    places_[response].room = partitions_[response].last - partitions_[response].first;
    group_partitions += places_[response].room;
  };
  const auto end_group = [&]() {
    if (group.empty()) return;
    for (const std::size_t response : group) {
      places_[response].chunk_stride = group_partitions * plan.chunk_samples();
      places_[response].scale_stride = group_partitions * plan.plane_lanes;
    }
    start += 2 * plan.points * group_partitions + padding;
    scale_start += plan.chunks() * group_partitions * plan.plane_lanes;
    group.clear();
    group_partitions = 0;
  };
  for (std::size_t output = 0; output < shape_.size(); ++output) {
    if (output % tile_outputs_ == 0 ||
        !read_alike(partitions_, shape_[output - 1], shape_[output])) {
      end_group();
    }
    for (const ResponseTerm& term : shape_[output]) add(term.response);
  }
  end_group();
  for (std::size_t response = 0; response < places_.size(); ++response) add(response);  // unheard
  end_group();
  allocate(spectra_, start, scale_start);
}

template <class Sample>
void CpuSpectralBank<Sample>::allocate(Spectra& spectra, std::size_t values,
                                       std::size_t scales) const {
  if (is_compact_) {
    spectra.compact.resize(values);
    spectra.scales.resize(scales);
  } else {
    spectra.full.resize(values);
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::replace(std::size_t response, IndexRange partitions,
                                      std::span<const Sample> taps) {
  loading_.resize(6 * level_.plan_.points);  // the last but make_room() that can fail
  const IndexRange before = partitions_[response];
  const std::size_t count = partitions.last - partitions.first;
  if (count > places_[response].room) make_room(response, count);
  partitions_[response] = partitions;
  if (partitions.first != before.first || partitions.last != before.last) {
    follow_partitions(response);
  }
  load(response, taps);
  end_load();
}

/// A place of its own, apart from those that are read before and after it.
template <class Sample>
void CpuSpectralBank<Sample>::make_room(std::size_t response, std::size_t partitions) {
  const TransformPlan<Sample>& plan = level_.plan_;
  Spectra spectra;
  allocate(spectra, 2 * plan.points * partitions, plan.chunks() * partitions * plan.plane_lanes);
  outgrown_[response] = std::move(spectra);
  places_[response] = {.start = 0,
                       .chunk_stride = partitions * plan.chunk_samples(),
                       .scale_start = 0,
                       .scale_stride = partitions * plan.plane_lanes,
                       .room = partitions};
}

template <class Sample>
bool CpuSpectralBank<Sample>::hears(std::size_t output, std::size_t response) const noexcept {
  return std::any_of(shape_[output].begin(), shape_[output].end(),
                     [&](const ResponseTerm& term) { return term.response == response; });
}

/// What of the outputs depends on where a response has its partitions.
template <class Sample>
void CpuSpectralBank<Sample>::follow_partitions(std::size_t response) {
  std::size_t since = kMacTile;  // outputs since the last one that hears it
  for (std::size_t output = shape_.size(); output-- > 0;) {
    if (hears(output, response)) {
      since = 0;
      for (std::size_t k = 0; k < shape_[output].size(); ++k) {
        terms_[output][k] = term_of(shape_[output][k]);
      }
      if (!has_answers_.empty()) has_answers_[output] = has_answer(output);
    }
    if (since < kMacTile) tile_[output] = tile_of(output);
    ++since;
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::load(std::size_t response, std::span<const Sample> taps) {
  const TransformPlan<Sample>& plan = level_.plan_;
  const std::size_t length = level_.shape_.partition_taps;
  const std::size_t partitions = partitions_[response].last - partitions_[response].first;
  loading_.resize(6 * plan.points);
  Sample* work = loading_.data();
  Sample* padded = work + 2 * plan.points;
  Sample* spectrum = padded + 2 * plan.points;
  // The inverse is not normalised; the responses carry its factor.
  const Sample scale = Sample{1} / static_cast<Sample>(plan.points);
  const std::size_t chunk = plan.chunk_samples();
  for (std::size_t p = 0; p < partitions; ++p) {
    std::fill_n(padded, 2 * plan.points, Sample{0});
    const std::size_t first = std::min(p * length, taps.size());
    const std::size_t last = std::min(first + length, taps.size());
    for (std::size_t k = first; k < last; ++k) padded[k - first] = taps[k] * scale;
    const Place& place = places_[response];
    Sample* const to =
        is_compact_ ? spectrum : spectra_of(response).full.data() + place.start + p * chunk;
    level_.fft_.forward(plan, padded, padded + plan.points, work, to,
                        is_compact_ ? chunk : place.chunk_stride);
    if (is_compact_) make_compact(response, p, spectrum);
  }
}

/// Stores a partition's spectrum, [chunk], in multiples of scales.
template <class Sample>
void CpuSpectralBank<Sample>::make_compact(std::size_t response, std::size_t partition,
                                           const Sample* spectrum) noexcept {
  const Place& place = places_[response];
  Spectra& spectra = spectra_of(response);
  constexpr float kMost = std::numeric_limits<std::int16_t>::max();
  const std::size_t samples = level_.plan_.chunk_samples();
  const std::size_t lanes = level_.plan_.plane_lanes;
  for (std::size_t chunk = 0; chunk < level_.plan_.chunks(); ++chunk) {
    const Sample* const values = spectrum + chunk * samples;
    std::int16_t* const multiples =
        spectra.compact.data() + place.start + chunk * place.chunk_stride + partition * samples;
    std::uint16_t* const scales =
        spectra.scales.data() + place.scale_start + chunk * place.scale_stride + partition * lanes;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      float peak = 0;
      for (std::size_t k = lane; k < samples; k += lanes) {
        peak = std::max(peak, static_cast<float>(std::abs(values[k])));
      }
      // Upwards, so that no multiple is too large.
      scales[lane] =
          static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(peak / kMost) + 0xFFFF) >> 16);
      const float scale = scale_of(scales[lane]);
      // Of a peak that is nearly nothing the scale is 0; what is beyond all numbers stays so.
      const bool has_scale = scale > 0 && scale < std::numeric_limits<float>::infinity();
      for (std::size_t k = lane; k < samples; k += lanes) {
        const float multiple = has_scale ? static_cast<float>(values[k]) / scale : 0.0F;
        multiples[k] = static_cast<std::int16_t>(std::lrint(std::clamp(multiple, -kMost, kMost)));
      }
    }
  }
}

/// The first chunk of a sum, of which the chunks from share `first_share` on are there.
template <class Sample>
Sample* CpuSpectralBank<Sample>::sum(Sum which, std::size_t output, std::size_t first_share,
                                     std::size_t thread) noexcept {
  if (which == Sum::kNow) {
    // Outputs that follow one another never meet.
    const std::size_t place = output & (tile_outputs_ - 1);
    return sums_.data() + (thread * tile_outputs_ + place) * spectrum_stride_;
  }
  const std::size_t place = which == Sum::kNext ? next_ : 1 - next_;
  Sample* const first =
      sums_.data() + carried_ + (place * level_.shape_.outputs + output) * carried_stride_;
  // Both halves lie in the same place; what is before it belongs to other sums.
  const bool is_upper = is_half_ && first_share * level_.plan_.chunk_samples() >= middle_;
  return first - (is_upper ? middle_ : 0);
}

template <class Sample>
void CpuSpectralBank<Sample>::accumulate(Sum to, const Sum* from, std::size_t newest,
                                         IndexRange partitions, IndexRange outputs,
                                         IndexRange shares, std::size_t thread) noexcept {
  run_tiles(newest, partitions, outputs, shares, [&](MacSum<Sample>& aim, std::size_t output) {
    aim.from = from == nullptr ? nullptr : sum(*from, output, shares.first, thread);
    aim.to = sum(to, output, shares.first, thread);
  });
}

template <class Sample>
void CpuSpectralBank<Sample>::accumulate_pair(std::size_t newest, IndexRange outputs,
                                              IndexRange shares, std::size_t thread) noexcept {
  run_tiles(newest, {0, level_.shape_.slots}, outputs, shares,
            [&](MacSum<Sample>& aim, std::size_t output) {
              aim.to = sum(Sum::kNow, output, shares.first, thread);
              aim.next = sum(Sum::kNext, output, shares.first, thread);
            });
}

/// `aim` says where the sums of an output begin and go.
template <class Sample>
template <class Aim>
void CpuSpectralBank<Sample>::run_tiles(std::size_t newest, IndexRange partitions,
                                        IndexRange outputs, IndexRange shares, Aim aim) noexcept {
  MacJob<Sample> job = job_;
  job.first_chunk = shares.first;
  job.last_chunk = shares.last;
  job.newest = newest;
  job.first_partition = partitions.first;
  job.last_partition = partitions.last;
  std::array<MacSum<Sample>, kMacTile> sums;
  for (std::size_t output = outputs.first; output < outputs.last;) {
    const std::size_t count = std::min(tile_[output], outputs.last - output);
    for (std::size_t k = 0; k < count; ++k, ++output) {
      sums[k].terms = terms_[output];
      aim(sums[k], output);
    }
    (is_compact_ ? level_.mac_.run_compact : level_.mac_.run)(job, {sums.data(), count});
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::inverse(Sample* const* out, IndexRange frames, IndexRange outputs,
                                      IndexRange shares, std::size_t thread) noexcept {
  const TransformPlan<Sample>& plan = level_.plan_;
  Sample* scratch = frames_.data() + thread * frames_stride_;
  for (std::size_t output = outputs.first; output < outputs.last; ++output) {
    Sample* spectrum = sum(Sum::kNow, output, 0, thread);
    if (frames.first == plan.points && frames.last == 2 * plan.points) {
      level_.fft_.inverse_steps(plan, spectrum, out[output], shares.first, shares.last);
    } else if (level_.has_long_blocks()) {
      level_.fft_.inverse_both_steps(plan, spectrum, scratch, scratch + plan.points, shares.first,
                                     shares.last);
      std::copy(scratch + frames.first, scratch + frames.last, out[output]);
    } else {
      level_.fft_.inverse_steps(plan, spectrum, scratch, shares.first, shares.last);
      std::copy(scratch + frames.first - plan.points, scratch + frames.last - plan.points,
                out[output]);
    }
  }
}

template <class Sample>
void CpuSpectralBank<Sample>::exchange_ready_and_next() noexcept {
  next_ = 1 - next_;
}

template <class Sample>
void CpuSpectralBank<Sample>::keep(std::size_t place, IndexRange outputs, IndexRange shares,
                                   std::size_t thread) noexcept {
  const std::size_t bins = level_.shape_.bins;
  inverse(answer_.data() + place * terms_.size(), {bins, 2 * bins}, outputs, shares, thread);
}

template <class Sample>
void CpuSpectralBank<Sample>::add_kept(std::size_t place, Sample* const* out, IndexRange frames,
                                       IndexRange outputs) noexcept {
  const std::size_t first = frames.first - level_.shape_.bins;
  const std::size_t count = frames.last - frames.first;
  for (std::size_t output = outputs.first; output < outputs.last; ++output) {
    if (!has_answers_[output]) continue;
    const Sample* const answer = answer_[place * terms_.size() + output] + first;
    Sample* const to = out[output];
    for (std::size_t n = 0; n < count; ++n) to[n] += answer[n];
  }
}

template class CpuSpectralLevel<float>;
template class CpuSpectralLevel<double>;
template class CpuSpectralBank<float>;
template class CpuSpectralBank<double>;

}  // namespace firbank
