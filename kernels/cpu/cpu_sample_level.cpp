#include "kernels/cpu/cpu_sample_level.hpp"

#include <algorithm>
#include <utility>

namespace firbank {

template <class Sample>
std::unique_ptr<DirectBank<Sample>> CpuSampleLevel<Sample>::make_bank(DirectBankShape shape) const {
  return std::make_unique<CpuDirectBank<Sample>>(*this, std::move(shape));
}

template <class Sample>
CpuDirectBank<Sample>::CpuDirectBank(const CpuSampleLevel<Sample>& level, DirectBankShape shape)
    : level_(level), shape_(std::move(shape)) {
  for (const DirectBankShape::Response& response : shape_.responses) {
    reversed_.emplace_back(response.taps);
  }
}

template <class Sample>
void CpuDirectBank<Sample>::load(std::size_t response, std::span<const Sample> taps) {
  std::reverse_copy(taps.begin(), taps.end(), reversed_[response].begin());
}

template <class Sample>
void CpuDirectBank<Sample>::replace(std::size_t response, std::span<const Sample> taps) {
  reversed_[response].resize(taps.size());
  load(response, taps);
}

template <class Sample>
void CpuDirectBank<Sample>::run(Sample* const* out, std::size_t frames,
                                IndexRange outputs) noexcept {
  for (std::size_t output = outputs.first; output < outputs.last; ++output) {
    std::fill_n(out[output], frames, Sample{0});
    for (const ResponseTerm& term : shape_.terms[output]) {
      const AlignedVector<Sample>& taps = reversed_[term.response];
      level_.fir_.add(level_.newest_[term.input] - shape_.responses[term.response].delay,
                      taps.data(), taps.size(), out[output], frames);
    }
  }
}

template class CpuSampleLevel<float>;
template class CpuSampleLevel<double>;
template class CpuDirectBank<float>;
template class CpuDirectBank<double>;

}  // namespace firbank
