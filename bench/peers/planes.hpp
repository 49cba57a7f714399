// Planes: channels of equal length, each on its own cache lines, all pages touched.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace peers {

class Planes {
 public:
  Planes(std::size_t channels, std::size_t frames) : frames_(frames) {
    // An odd number of lines, so that the channels do not fall on the same cache sets.
    const std::size_t stride = ((frames + 15) / 16 | 1) * 16;
    const std::size_t floats = channels * stride;
    data_.reset(static_cast<float*>(std::aligned_alloc(64, floats * sizeof(float))));
    if (data_ == nullptr) throw std::bad_alloc();
    for (std::size_t n = 0; n < floats; ++n) data_[n] = 0;
    for (std::size_t c = 0; c < channels; ++c) planes_.push_back(data_.get() + c * stride);
  }

  std::size_t channels() const { return planes_.size(); }
  std::size_t frames() const { return frames_; }
  float* operator[](std::size_t channel) const { return planes_[channel]; }
  float* const* data() const { return planes_.data(); }

  /// The planes from `frame` on.
  std::vector<float*> from(std::size_t frame) const {
    std::vector<float*> moved = planes_;
    for (float*& plane : moved) plane += frame;
    return moved;
  }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float[], Free> data_;
  std::vector<float*> planes_;
  std::size_t frames_;
};

}  // namespace peers
