#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/gpu/ceilings.hpp"
#include "bench/gpu/device.hpp"
#include "bench/gpu/figures.hpp"
#include "bench/gpu/pacer.hpp"

namespace firbank::bench {
namespace {

constexpr std::uint64_t kStop = ~std::uint64_t{0};
constexpr std::uint64_t kPatienceNs = 2'000'000'000;  // after which either side gives the other up

__global__ void do_nothing() {}

/// Tells the host how often it has run.
__global__ void answer(std::uint64_t* count, volatile std::uint64_t* flag) {
  const std::uint64_t now = *count + 1;
  *count = now;
  __threadfence_system();
  *flag = now;
}

__device__ std::uint64_t nanoseconds() {
  std::uint64_t now = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}

/// Answers each ring of the doorbell until it is told to stop, or nobody rings any more.
__global__ void serve(const volatile std::uint64_t* doorbell, volatile std::uint64_t* flag) {
  std::uint64_t seen = 0;
  std::uint64_t since = nanoseconds();
  for (;;) {
    const std::uint64_t rung = *doorbell;
    if (rung == kStop) return;
    if (rung != seen) {
      seen = rung;
      since = nanoseconds();
      __threadfence_system();
      *flag = rung;
    } else if (nanoseconds() - since > kPatienceNs) {
      return;
    }
  }
}

void wait_for(std::uint64_t& flag, std::uint64_t number) {
  const Pacer::Clock::time_point begin = Pacer::Clock::now();
  const std::atomic_ref<std::uint64_t> shared(flag);
  while (shared.load(std::memory_order_acquire) != number) {
    if (microseconds_since(begin) * 1e3 > static_cast<double>(kPatienceNs)) {
      throw std::runtime_error("the device does not answer");
    }
  }
}

enum class Shape { kChain, kBranches };

/// Kernels of which the last one answers: a chain; or a first one, others side by side behind it,
/// and the last one behind them all.
class AnsweringGraph {
 public:
  AnsweringGraph(Shape shape, int kernels, std::uint64_t* count, std::uint64_t* flag,
                 const Stream& stream) {
    check(cudaGraphCreate(&graph_, 0), "cudaGraphCreate");
    std::vector<cudaGraphNode_t> before;
    std::vector<cudaGraphNode_t> branches;
    for (int n = 1; n < kernels; ++n) {
      const cudaGraphNode_t node = add(reinterpret_cast<void*>(do_nothing), 32, nullptr, before);
      if (shape == Shape::kChain || n == 1) {
        before = {node};
      } else {
        branches.push_back(node);
      }
    }
    void* parameters[] = {&count, &flag};
    add(reinterpret_cast<void*>(answer), 1, parameters, branches.empty() ? before : branches);
    check(cudaGraphInstantiate(&exec_, graph_, 0), "cudaGraphInstantiate");
    check(cudaGraphUpload(exec_, stream.get()), "cudaGraphUpload");
    stream.wait();
  }
  ~AnsweringGraph() {
    cudaGraphExecDestroy(exec_);
    cudaGraphDestroy(graph_);
  }
  AnsweringGraph(const AnsweringGraph&) = delete;
  AnsweringGraph& operator=(const AnsweringGraph&) = delete;

  void launch(const Stream& stream) {
    check(cudaGraphLaunch(exec_, stream.get()), "cudaGraphLaunch");
  }

 private:
  cudaGraphNode_t add(void* kernel, unsigned threads, void** parameters,
                      const std::vector<cudaGraphNode_t>& before) {
    cudaKernelNodeParams node{};
    node.func = kernel;
    node.gridDim = dim3(1);
    node.blockDim = dim3(threads);
    node.kernelParams = parameters;
    cudaGraphNode_t added = nullptr;
    check(cudaGraphAddKernelNode(&added, graph_, before.data(), before.size(), &node),
          "cudaGraphAddKernelNode");
    return added;
  }

  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
};

/// Times `trip` back to back, and at two paces with idle time between.
template <class Trip>
void tell_trips(const std::string& name, double seconds, const Trip& trip) {
  const auto time = [&trip] {
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    trip();
    return microseconds_since(begin);
  };
  for (int n = 0; n < 100; ++n) trip();
  std::vector<double> took;
  for (int n = 0; n < 3'000; ++n) took.push_back(time());
  tell_samples(name + ", back to back", "us", std::move(took));

  for (const double period_us : {1'000.0, 2'700.0}) {
    const auto turns = static_cast<std::size_t>(1e6 * seconds / period_us) + 1;
    took.clear();
    Pacer pacer(period_us);
    for (std::size_t n = 0; n < turns; ++n) {
      pacer.wait();
      took.push_back(time());
    }
    tell_samples(name + (period_us > 2'000 ? ", every 2.7 ms" : ", every 1 ms"), "us",
                 std::move(took));
  }
}

void tell_doorbell(double seconds, const Stream& stream) {
  const PinnedArray<std::uint64_t> doorbell(1);
  const PinnedArray<std::uint64_t> flag(1);
  serve<<<1, 1, 0, stream.get()>>>(doorbell.get(), flag.get());
  check(cudaGetLastError(), "serve");
  std::uint64_t number = 0;
  const std::atomic_ref<std::uint64_t> bell(doorbell[0]);
  try {
    tell_trips("doorbell of a running kernel to flag", seconds, [&] {
      bell.store(++number, std::memory_order_release);
      wait_for(flag[0], number);
    });
  } catch (...) {
    // The kernel must be gone before its memory is.
    bell.store(kStop, std::memory_order_release);
    cudaStreamSynchronize(stream.get());
    throw;
  }
  bell.store(kStop, std::memory_order_release);
  stream.wait();
}

}  // namespace

void tell_round_trips(double seconds) {
  const Stream stream;
  tell_trips("launch to synchronised stream", seconds, [&] {
    do_nothing<<<1, 32, 0, stream.get()>>>();
    check(cudaGetLastError(), "do_nothing");
    stream.wait();
  });

  const DeviceArray<std::uint64_t> count(1);
  const PinnedArray<std::uint64_t> flag(1);
  std::uint64_t number = 0;
  tell_trips("launch to flag", seconds, [&] {
    answer<<<1, 1, 0, stream.get()>>>(count.get(), flag.get());
    check(cudaGetLastError(), "answer");
    wait_for(flag[0], ++number);
  });
  const auto tell_graph = [&](const char* name, Shape shape, int kernels) {
    AnsweringGraph graph(shape, kernels, count.get(), flag.get(), stream);
    tell_trips(name, seconds, [&] {
      graph.launch(stream);
      wait_for(flag[0], ++number);
    });
    stream.wait();
  };
  tell_graph("graph of 1 kernel to flag", Shape::kChain, 1);
  tell_graph("graph of 8 kernels to flag", Shape::kChain, 8);
  tell_graph("graph of 8 kernels, 6 of them side by side, to flag", Shape::kBranches, 8);
  tell_doorbell(seconds, stream);
}

}  // namespace firbank::bench
