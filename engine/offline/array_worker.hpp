// ArrayWorker: what one thread computes an array job's tasks with, by one method.
//
// Thread:   one at a time, of each worker.
// Realtime: no.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/offline/array_job.hpp"
#include "engine/offline/array_plan.hpp"
#include "engine/offline/array_planes.hpp"
#include "engine/offline/array_tasks.hpp"
#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

/// Shared by all threads of a run.
struct ArrayMeter {
  std::atomic<std::uint64_t> done{0};  // frames of outputs
  std::atomic<bool> stopped{false};

  /// False when the run is to end.
  bool go_on(std::uint64_t frames) noexcept {
    done.fetch_add(frames, std::memory_order_relaxed);
    return !stopped.load(std::memory_order_relaxed);
  }
};

template <class Sample>
class ArrayWorker {
 public:
  virtual ~ArrayWorker() = default;

  /// The signals of the tasks that follow. Kernels are those of the run before where
  /// `keeps_kernels`.
  virtual void begin(const ArraySignals& signals, bool keeps_kernels) = 0;
  /// Throws: Error, std::bad_alloc.
  virtual void compute(const ArrayTask& task, ArrayMeter& meter) = 0;
  /// Kernel `kernel`, of those that all units share, is another one from the next begin() on.
  virtual void replace(std::size_t kernel) = 0;
};

/// `job` and `plan` outlive the worker.
template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_direct_worker(const ArrayJob& job, const ArrayPlan& plan,
                                                        InstructionSet set);
template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_frames_worker(const ArrayJob& job, const ArrayPlan& plan,
                                                        InstructionSet set);
/// Samples of the input that it copies at a time.
std::size_t frames_worker_copies(const ArrayJob& job);
template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_transform_worker(const ArrayJob& job,
                                                           const ArrayPlan& plan,
                                                           InstructionSet set);

/// Adds output `output` of unit `unit`.
template <class Sample>
void add_output(ArrayPlanes<Sample>& planes, const ArrayJob& job, const ArraySignals& signals,
                std::size_t unit, std::size_t output) {
  const bool apart = signals.outputs.size() > 1;
  planes.add(signals.outputs[apart ? output : 0], job.units, unit, apart ? 0 : output);
}

/// The planes of a task, unit by unit.
template <class Sample>
void name_planes(const ArrayTask& task, const ArrayJob& job, const ArraySignals& signals,
                 ArrayPlanes<Sample>& inputs, ArrayPlanes<Sample>& outputs) {
  inputs.clear();
  outputs.clear();
  for (std::size_t u = task.first_unit; u < task.last_unit; ++u) {
    for (std::size_t i = 0; i < job.inputs; ++i) inputs.add(signals.input, job.units, u, i);
    for (std::size_t o = task.first_output; o < task.last_output; ++o) {
      add_output(outputs, job, signals, u, o);
    }
  }
}

/// Whether the outputs of the whole job are more than caches hold.
bool outgrows_caches(const ArrayJob& job, const ArraySignals& signals);

/// Taps of kernel `kernel` of unit `unit`, in double precision.
std::vector<double> read_kernel(const ArrayJob& job, const ArrayView& kernels, std::size_t unit,
                                std::size_t kernel, InstructionSet set);

}  // namespace firbank
