#include "engine/offline/direct_convolution.hpp"

#include <algorithm>

#include "engine/offline/spoilt_frames.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace firbank {
namespace {

/// Frames of a small job that are computed at a time.
constexpr std::size_t kTileFrames = 8'192;

}  // namespace

template <class Sample>
void convolve_directly(const Sample* in, std::size_t length, const Sample* taps, std::size_t count,
                       std::size_t first, Sample* out, std::size_t frames) {
  static const InstructionSet set = best_instruction_set();
  const DirectFir<Sample>& fir = *direct_fir<Sample>(set);
  const CheckedCopy<Sample>& checked = *checked_copy<Sample>(set);
  const std::size_t lead = count - 1;
  const std::size_t tile = std::min(frames, kTileFrames);
  // Kept by the thread: to allocate it takes longer than to convolve with a few taps.
  thread_local AlignedVector<Sample> work;
  if (work.size() < count + lead + tile) work.resize(count + lead + tile);
  std::reverse_copy(taps, taps + count, work.begin());
  Sample* const heard = work.data() + count;
  for (std::size_t done = 0; done < frames; done += tile) {
    const std::size_t part = std::min(tile, frames - done);
    const std::size_t frame = first + done;
    const std::size_t before = lead - std::min(lead, frame);
    const std::size_t from = frame - (lead - before);
    const std::size_t wanted = lead - before + part;
    const std::size_t there = from < length ? std::min(wanted, length - from) : 0;
    std::fill_n(heard, before, Sample{0});
    const bool finite = copy_checked(checked, in + std::min(from, length), heard + before, there);
    std::fill_n(heard + before + there, wanted - there, Sample{0});
    fir.set(heard + lead, work.data(), count, out + done, part);
    if (!finite) spoil(heard + lead, count, out + done, part);
  }
}

template void convolve_directly(const float*, std::size_t, const float*, std::size_t, std::size_t,
                                float*, std::size_t);
template void convolve_directly(const double*, std::size_t, const double*, std::size_t, std::size_t,
                                double*, std::size_t);

}  // namespace firbank
