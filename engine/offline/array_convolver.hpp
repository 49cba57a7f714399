// ArrayConvolver: convolves arrays in memory, by the plan that suits them best.
//
// It is made for one job and may run it many times, on other samples; between two runs a kernel may
// be replaced, and what was made of the others is kept.
//
// NaN and infinities of an input spoil (turn into NaN) exactly the output frames that a direct
// convolution would spoil.
//
// Thread:   one at a time; run() uses threads of its own, and calls back in the caller's, which it
//           does at its end alone where it is estimated to take milliseconds.
// Realtime: no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "engine/offline/array_job.hpp"
#include "engine/offline/array_plan.hpp"

namespace firbank {

/// What a run tells some twenty times a second: frames done, of all outputs together, and how many
/// there are. False ends it.
using ArrayProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// Which traits of arrays matter to their plan. `Sample` is the type of the arithmetic.
template <class Sample>
ArrayTraits traits_of(const ArrayJob& job, const ArraySignals& signals);

template <class Sample>
class ArrayConvolver {
 public:
  /// Throws: as plan_array_job(); Error where the backend is not there.
  ArrayConvolver(ArrayJob job, const ArrayTraits& traits, const ArrayOptions& options);
  ~ArrayConvolver();
  ArrayConvolver(const ArrayConvolver&) = delete;
  ArrayConvolver& operator=(const ArrayConvolver&) = delete;

  const ArrayJob& job() const noexcept;
  const ArrayPlan& plan() const noexcept;
  std::uint64_t tasks() const noexcept;

  /// False where `progress` ended it: the outputs are then partly written. With `keeps_kernels`
  /// kernels are those of the run before, but for replaced ones, and are not read where what was
  /// made of them is still there. Throws: Error, std::bad_alloc, std::system_error; and what
  /// `progress` throws.
  bool run(const ArraySignals& signals, const ArrayProgress& progress = {},
           bool keeps_kernels = false);

  /// Says that kernel `kernel` of the shared ones has changed, for a run that keeps kernels.
  void replace(std::size_t kernel);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

extern template class ArrayConvolver<float>;
extern template class ArrayConvolver<double>;

}  // namespace firbank
