// EndsOfPlanes: the newest frames of given planes, for a backend that keeps samples, which has to
// take each plane's once.
//
// Thread: as NewSamples.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/backend.hpp"

namespace firbank::test {

template <class Sample>
class EndsOfPlanes final : public NewSamples<Sample> {
 public:
  template <class Value>
  EndsOfPlanes(const std::vector<std::vector<Value>>& planes, std::size_t frames)
      : frames_(frames), taken_(planes.size()) {
    for (const std::vector<Value>& plane : planes) {
      samples_.emplace_back(plane.end() - static_cast<std::ptrdiff_t>(frames), plane.end());
    }
  }

  std::size_t frames() const noexcept override { return frames_; }
  const Sample* raw(std::size_t input) const noexcept override { return samples_[input].data(); }
  void take(IndexRange inputs, Sample* to, std::size_t stride, bool) const noexcept override {
    for (std::size_t input = inputs.first; input < inputs.last; ++input, to += stride) {
      std::copy(samples_[input].begin(), samples_[input].end(), to);
    }
    pass(inputs);
  }
  void pass(IndexRange inputs) const noexcept override {
    for (std::size_t input = inputs.first; input < inputs.last; ++input) ++taken_[input];
  }

  /// Since this was asked last.
  void expect_taken(int times) const {
    for (std::atomic<int>& taken : taken_) EXPECT_EQ(taken.exchange(0), times);
  }

 private:
  std::size_t frames_;
  std::vector<std::vector<Sample>> samples_;
  mutable std::vector<std::atomic<int>> taken_;
};

}  // namespace firbank::test
