// Owners of what FFTW (GPL, linked into these benchmarks only) hands out.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include <fftw3.h>

namespace peers {

struct FftwFree {
  void operator()(void* data) const { fftwf_free(data); }
};
using FftwFloats = std::unique_ptr<float[], FftwFree>;

inline FftwFloats fftw_floats(std::size_t count) {
  FftwFloats data(fftwf_alloc_real(count));
  if (data == nullptr) throw std::bad_alloc();
  std::memset(data.get(), 0, count * sizeof(float));
  return data;
}

inline fftwf_complex* as_complex(float* data) {
  return reinterpret_cast<fftwf_complex*>(data);
}

/// A pair of real transforms of one size, out of place, planned with FFTW_MEASURE. The forward one
/// keeps its input, the inverse one overwrites it.
class FftwPair {
 public:
  explicit FftwPair(std::size_t frames) {
    const FftwFloats time = fftw_floats(frames);
    const FftwFloats bins = fftw_floats(frames + 2);
    const int size = static_cast<int>(frames);
    forward_.reset(fftwf_plan_dft_r2c_1d(size, time.get(), as_complex(bins.get()), FFTW_MEASURE));
    inverse_.reset(fftwf_plan_dft_c2r_1d(size, as_complex(bins.get()), time.get(), FFTW_MEASURE));
  }

  /// `in` is read only.
  void forward(const float* in, float* bins) const {
    fftwf_execute_dft_r2c(forward_.get(), const_cast<float*>(in), as_complex(bins));
  }
  void inverse(float* bins, float* out) const {
    fftwf_execute_dft_c2r(inverse_.get(), as_complex(bins), out);
  }

 private:
  struct Destroy {
    void operator()(fftwf_plan plan) const { fftwf_destroy_plan(plan); }
  };
  using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, Destroy>;
  Plan forward_, inverse_;
};

}  // namespace peers
