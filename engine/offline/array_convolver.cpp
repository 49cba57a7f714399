#include "engine/offline/array_convolver.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/offline/array_worker.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"
#include "kernels/cpu/denormals.hpp"

namespace firbank {
namespace {

constexpr std::chrono::milliseconds kProgressEvery{50};
constexpr double kShortNs = 5e6;  // that needs nobody to tell of it meanwhile

/// What copies and direct forms are computed with; the best here beside a GPU.
InstructionSet instruction_set_of(const std::string& backend) {
  for (const InstructionSet set : kInstructionSets) {
    if (backend == backend_name(set) && is_built(set) && is_supported(set)) return set;
  }
  return best_instruction_set();
}

/// Throws: Error where it is not there.
std::string checked_backend(const std::string& name) {
  std::shared_ptr<const Backend> backend;
  try {
    backend = make_backend(name);
  } catch (const BackendError& error) {
    throw Error(ErrorKind::kConfiguration, fmt::format("device is '{}': {}", name, error.what()));
  }
  if (backend) return backend->name();
  std::string allowed = "auto, cpu";
  for (const BackendInfo& info : list_backends()) {
    if (info.name == name || (info.name == "cuda" && name.starts_with("cuda"))) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("device is '{}', which cannot run here: {}", name, info.reason));
    }
    if (info.available) allowed += ", " + info.name;
  }
  throw Error(ErrorKind::kConfiguration, fmt::format("device is '{}'; allowed: {}", name, allowed));
}

ArrayOptions with_backend(ArrayOptions options) {
  options.backend = checked_backend(options.backend);
  return options;
}

/// What nobody hears costs time, and in transforms accuracy.
ArrayJob without_unheard_taps(ArrayJob job) {
  job.cut_unheard_taps();
  return job;
}

/// Joins its threads whatever happens.
class JoinedThreads {
 public:
  JoinedThreads() = default;
  ~JoinedThreads() { join(); }
  JoinedThreads(const JoinedThreads&) = delete;
  JoinedThreads& operator=(const JoinedThreads&) = delete;

  /// False where the system has no more threads to give. Throws: std::bad_alloc.
  template <class Work>
  bool start(Work&& work) {
    try {
      threads_.emplace_back(std::forward<Work>(work));
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }
  void join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace

template <class Sample>
class ArrayConvolver<Sample>::Impl {
 public:
  Impl(ArrayJob of_job, const ArrayTraits& traits, const ArrayOptions& options)
      : job(without_unheard_taps(std::move(of_job))),
        plan(plan_array_job(job, traits, with_backend(options))),
        set(instruction_set_of(plan.backend)),
        tasks(job, plan) {}

  ArrayWorker<Sample>& worker(std::size_t index) {
    while (workers.size() <= index) {
      switch (plan.method) {
        case ArrayMethod::kDirect:
          workers.push_back(make_direct_worker<Sample>(job, plan, set));
          break;
        case ArrayMethod::kFrames:
          workers.push_back(make_frames_worker<Sample>(job, plan, set));
          break;
        case ArrayMethod::kTransforms:
          workers.push_back(make_transform_worker<Sample>(job, plan, set));
          break;
      }
    }
    return *workers[index];
  }

  /// Takes tasks until there are none, or the run is to end.
  void work(std::size_t index, ArrayMeter& meter) {
    const FlushDenormals flush;
    try {
      for (;;) {
        const std::uint64_t task = next.fetch_add(1, std::memory_order_relaxed);
        if (task >= tasks.size() || meter.stopped.load(std::memory_order_relaxed)) return;
        workers[index]->compute(tasks.at(task), meter);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      meter.stopped = true;
    }
  }

  /// The caller works as well, and tells nobody meanwhile.
  void run_here(std::size_t threads, ArrayMeter& meter) {
    JoinedThreads others;
    for (std::size_t t = 1; t < threads; ++t) {
      if (!others.start([&, t] { work(t, meter); })) break;  // those that there are do the work
    }
    work(0, meter);
  }

  /// The caller tells `progress`; false when that ends the run.
  bool run_beside(std::size_t threads, ArrayMeter& meter, const ArrayProgress& progress) {
    std::size_t running = 0;
    std::condition_variable ended;
    JoinedThreads all;
    try {
      for (std::size_t t = 0; t < threads; ++t) {
        const auto ends = [&] {
          const std::lock_guard lock(mutex);
          --running;
          ended.notify_one();
        };
        {
          const std::lock_guard lock(mutex);
          ++running;
        }
        const bool started = all.start([this, t, &meter, ends] {
          work(t, meter);
          ends();
        });
        if (started) continue;
        ends();
        if (t == 0) work(0, meter);  // nobody is there to do it beside
        break;
      }
      std::unique_lock lock(mutex);
      while (!ended.wait_for(lock, kProgressEvery, [&] { return running == 0; })) {
        if (meter.stopped) continue;
        lock.unlock();
        if (!progress(meter.done, tasks.frames())) meter.stopped = true;
        lock.lock();
      }
    } catch (...) {
      meter.stopped = true;
      throw;
    }
    return !meter.stopped || failure != nullptr;
  }

  ArrayJob job;
  ArrayPlan plan;
  InstructionSet set;
  ArrayTasks tasks;
  std::vector<std::unique_ptr<ArrayWorker<Sample>>> workers;

  // Of the run.
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
};

template <class Sample>
ArrayConvolver<Sample>::ArrayConvolver(ArrayJob job, const ArrayTraits& traits,
                                       const ArrayOptions& options)
    : impl_(std::make_unique<Impl>(std::move(job), traits, options)) {}

template <class Sample>
ArrayConvolver<Sample>::~ArrayConvolver() = default;

template <class Sample>
const ArrayJob& ArrayConvolver<Sample>::job() const noexcept {
  return impl_->job;
}

template <class Sample>
const ArrayPlan& ArrayConvolver<Sample>::plan() const noexcept {
  return impl_->plan;
}

template <class Sample>
std::uint64_t ArrayConvolver<Sample>::tasks() const noexcept {
  return impl_->tasks.size();
}

template <class Sample>
bool ArrayConvolver<Sample>::run(const ArraySignals& signals, const ArrayProgress& progress,
                                 bool keeps_kernels) {
  Impl& impl = *impl_;
  ArrayMeter meter;
  impl.next = 0;
  impl.failure = nullptr;
  const auto threads =
      static_cast<std::size_t>(std::clamp<std::uint64_t>(impl.tasks.size(), 1, impl.plan.threads));
  for (std::size_t t = 0; t < threads; ++t) impl.worker(t).begin(signals, keeps_kernels);
  bool complete = true;
  // How long a device takes is computed, not known; and it may hang.
  const bool is_short = impl.plan.nanoseconds < kShortNs && !impl.plan.backend.starts_with("cuda");
  if (is_short || !progress) {
    impl.run_here(threads, meter);
  } else {
    complete = impl.run_beside(threads, meter, progress);
  }
  if (impl.failure) std::rethrow_exception(impl.failure);
  if (complete && progress) progress(impl.tasks.frames(), impl.tasks.frames());
  return complete;
}

template <class Sample>
void ArrayConvolver<Sample>::replace(std::size_t kernel) {
  for (const auto& worker : impl_->workers) worker->replace(kernel);
}

template <class Sample>
ArrayTraits traits_of(const ArrayJob& job, const ArraySignals& signals) {
  ArrayTraits traits;
  traits.sample_bytes = sizeof(Sample);
  const ArrayView& input = signals.input;
  const bool last_is_adjacent =
      !job.units.empty() && job.units.back() > 1 && !input.unit_strides.empty();
  traits.adjacent_units =
      input.frame_stride != 1 && last_is_adjacent && input.unit_strides.back() == 1;
  const auto own = sizeof(Sample) == sizeof(float) ? ElementType::kFloat32 : ElementType::kFloat64;
  traits.adjacent_inputs = input.type == own && job.unit_count() == 1 && input.frame_stride > 0;
  for (std::size_t i = 1; i < input.offsets.size() && traits.adjacent_inputs; ++i) {
    traits.adjacent_inputs = input.offsets[i] == input.offsets[0] + static_cast<std::ptrdiff_t>(i);
  }
  return traits;
}

bool outgrows_caches(const ArrayJob& job, const ArraySignals& signals) {
  constexpr std::uint64_t kCaches = std::uint64_t{32} << 20;
  std::uint64_t frames = 0;
  for (const ArrayWindow& window : job.windows) frames += window.count;
  return frames * job.unit_count() * element_bytes(signals.outputs.front().type) > kCaches;
}

std::vector<double> read_kernel(const ArrayJob& job, const ArrayView& kernels, std::size_t unit,
                                std::size_t kernel, InstructionSet set) {
  std::vector<double> taps(job.taps[kernel]);
  const std::size_t of = job.own_kernels ? unit : 0;
  const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(kernels.type));
  const std::byte* const base =
      static_cast<const std::byte*>(kernels.base) + kernels.offset(job.units, of, kernel) * bytes;
  array_copy<double>(set)->gather(base, kernels.type, kernels.frame_stride, taps.data(),
                                  taps.size());
  return taps;
}

template class ArrayConvolver<float>;
template class ArrayConvolver<double>;
template ArrayTraits traits_of<float>(const ArrayJob&, const ArraySignals&);
template ArrayTraits traits_of<double>(const ArrayJob&, const ArraySignals&);

}  // namespace firbank
