#include "engine/offline/array_tasks.hpp"

#include <algorithm>

namespace firbank {

ArrayTasks::ArrayTasks(const ArrayJob& job, const ArrayPlan& plan)
    : own_kernels_(job.own_kernels),
      units_(job.unit_count()),
      units_at_once_(plan.units_at_once),
      frames_at_once_(plan.frames_at_once),
      groups_((units_ + units_at_once_ - 1) / units_at_once_) {
  std::vector<std::uint64_t> taps(job.outputs(), 0);
  for (const ArrayEdge& edge : job.edges) taps[edge.output] += job.taps[edge.kernel];
  for (std::size_t first = 0; first < job.outputs(); first += plan.outputs_at_once) {
    Batch batch;
    batch.first_output = first;
    batch.last_output = std::min(first + plan.outputs_at_once, job.outputs());
    ArrayJob part;
    part.windows.assign(job.windows.begin() + static_cast<std::ptrdiff_t>(first),
                        job.windows.begin() + static_cast<std::ptrdiff_t>(batch.last_output));
    batch.window = part.all_windows();
    batch.stretches = (batch.window.count + frames_at_once_ - 1) / frames_at_once_;
    for (std::size_t output = first; output < batch.last_output; ++output) {
      batch.taps += taps[output];
    }
    stretches_all_ += batch.stretches;
    frames_ += batch.window.count * units_ * (batch.last_output - first);
    batches_.push_back(batch);
  }
  // The most work first: then no thread is left with it at the end.
  std::stable_sort(batches_.begin(), batches_.end(),
                   [](const Batch& a, const Batch& b) { return a.taps > b.taps; });
  size_ = groups_ * stretches_all_;
}

ArrayTask ArrayTasks::at(std::uint64_t index) const noexcept {
  // Own kernels are those of a group of units; shared ones those of a batch.
  std::uint64_t group = 0;
  if (own_kernels_) {
    group = index / stretches_all_;
    index %= stretches_all_;
  }
  std::size_t b = 0;
  const auto tasks_of = [&](const Batch& batch) {
    return own_kernels_ ? batch.stretches : batch.stretches * groups_;
  };
  while (index >= tasks_of(batches_[b])) index -= tasks_of(batches_[b++]);
  const Batch& batch = batches_[b];
  if (!own_kernels_) {
    group = index / batch.stretches;
    index %= batch.stretches;
  }
  ArrayTask task;
  task.first_unit = static_cast<std::size_t>(group) * units_at_once_;
  task.last_unit = std::min(task.first_unit + units_at_once_, units_);
  task.batch = b;
  task.first_output = batch.first_output;
  task.last_output = batch.last_output;
  const std::uint64_t first = batch.window.first + index * frames_at_once_;
  task.frames = {first, std::min(frames_at_once_, batch.window.end() - first)};
  return task;
}

}  // namespace firbank
