// PlanarBuffer: some frames of a few channels, one plane of samples each, all zero at first.
#pragma once

#include <cstddef>
#include <vector>

namespace firbank::program {

template <class Sample>
class PlanarBuffer {
 public:
  PlanarBuffer(std::size_t channels, std::size_t frames)
      : samples_(channels * frames), planes_(channels) {
    for (std::size_t c = 0; c < channels; ++c) planes_[c] = samples_.data() + c * frames;
  }
  PlanarBuffer(const PlanarBuffer&) = delete;
  PlanarBuffer& operator=(const PlanarBuffer&) = delete;

  std::size_t channels() const noexcept { return planes_.size(); }
  Sample* const* planes() noexcept { return planes_.data(); }
  Sample* plane(std::size_t channel) noexcept { return planes_[channel]; }

 private:
  std::vector<Sample> samples_;
  std::vector<Sample*> planes_;
};

}  // namespace firbank::program
