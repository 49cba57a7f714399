#include "engine/overlap_reference.hpp"

#include <algorithm>

#include "engine/frequency_delay_line.hpp"
#include "engine/overlap.hpp"
#include "kernels/cpu/scalar_kernels.hpp"

namespace firbank {

template <class Sample>
std::vector<Sample> overlap_reference(std::span<const Sample> in, std::span<const Sample> taps,
                                      std::size_t block_frames, OverlapForm form) {
  const RealFft<Sample>& fft = *scalar_real_fft<Sample>();
  const SpectralMac<Sample>& mac = *scalar_spectral_mac<Sample>();
  const TransformPlan<Sample> plan(block_frames, fft.traits);
  const std::size_t partitions = (taps.size() + block_frames - 1) / block_frames;
  const std::size_t chunk = plan.chunk_samples();
  const std::size_t stride = partitions * chunk;

  // The block before the first one is silence; so is the end of the last block.
  const std::size_t blocks = (in.size() + block_frames - 1) / block_frames;
  AlignedVector<Sample> padded((blocks + 1) * block_frames);
  std::copy(in.begin(), in.end(), padded.begin() + static_cast<std::ptrdiff_t>(block_frames));

  AlignedVector<Sample> work(2 * block_frames), silence(block_frames), segment(block_frames);
  AlignedVector<Sample> responses(2 * block_frames * partitions);
  AlignedVector<Sample> delay_line(2 * block_frames * partitions);
  AlignedVector<Sample> sum(2 * block_frames), older(block_frames), newer(block_frames);
  for (std::size_t p = 0; p < partitions; ++p) {
    std::fill(segment.begin(), segment.end(), Sample{0});
    for (std::size_t n = 0; n < block_frames && p * block_frames + n < taps.size(); ++n) {
      segment[n] = taps[p * block_frames + n] / static_cast<Sample>(block_frames);
    }
    fft.forward(plan, segment.data(), silence.data(), work.data(), responses.data() + p * chunk,
                stride);
  }

  FrequencyDelayLine slots(partitions);
  OverlapAccumulator<Sample> output(1, 2 * block_frames);
  std::vector<Sample> out(blocks * block_frames);
  MacTerm<Sample> term;
  term.input = delay_line.data();
  term.response = responses.data();
  term.response_stride = stride;
  term.last_partition = partitions;
  for (std::size_t block = 0; block < blocks; ++block) {
    const Sample* current = padded.data() + (block + 1) * block_frames;
    const bool add = form == OverlapForm::kAdd;
    fft.forward(plan, add ? current : current - block_frames, add ? silence.data() : current,
                work.data(), delay_line.data() + slots.newest() * chunk, stride);
    MacJob<Sample> job;
    job.last_chunk = plan.chunks();
    job.chunk_samples = chunk;
    job.slots = partitions;
    job.input_stride = stride;
    job.newest = slots.newest();
    job.last_partition = std::min(partitions, slots.filled() + 1);
    const MacSum<Sample> to{{&term, 1}, nullptr, sum.data(), nullptr};
    mac.run(job, {&to, 1});
    fft.inverse_both(plan, sum.data(), older.data(), newer.data());

    const auto first_frame = static_cast<std::int64_t>(block * block_frames);
    if (add) {
      output.add(0, first_frame, older.data(), block_frames);
      output.add(0, first_frame + static_cast<std::int64_t>(block_frames), newer.data(),
                 block_frames);
    } else {
      output.add(0, first_frame, newer.data(), block_frames);
    }
    output.take(0, out.data() + first_frame, block_frames);
    output.advance(block_frames);
    slots.advance();
  }
  out.resize(in.size());
  return out;
}

template std::vector<float> overlap_reference(std::span<const float>, std::span<const float>,
                                              std::size_t, OverlapForm);
template std::vector<double> overlap_reference(std::span<const double>, std::span<const double>,
                                               std::size_t, OverlapForm);

}  // namespace firbank
