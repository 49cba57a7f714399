// The calls of the CUDA run-time library that the plug-in makes, on the host: with it the plug-in's
// own code, device.cu and plugin.cu, runs as it is where there is no GPU.
//
// A stream is a thread that does one thing after another, so that work is under way when calls
// return; kernels are run by the host executor. What the real library leaves undefined, or nobody
// would notice there, ends the process with a line: copies beyond what was allocated, memory given
// back twice, calls from a thread that has chosen no device, launches that no kernel is compiled
// for. The environment's FIRBANK_HOST_RUNTIME may say:
//   no_pools     the driver has no memory pools
//   fail=N       the Nth graph that is launched fails, and with it all that is asked from then on
//
// Thread: any, as the real library.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include <cuda_runtime_api.h>

#include "kernels/cuda/kernel_entries.hpp"
#include "tests/host_runtime/runtime_objects.hpp"

namespace firbank::test {
namespace {

constexpr std::size_t kMemoryBytes = std::size_t{16} << 30;
constexpr int kMultiprocessors = 8;
constexpr int kMostUrgent = -5;

std::string_view settings() {
  const char* text = std::getenv("FIRBANK_HOST_RUNTIME");
  return text != nullptr ? text : "";
}

/// The number of the launch that fails; 0: none does.
std::uint64_t failing_launch() {
  constexpr std::string_view kName = "fail=";
  static const std::uint64_t number =
      settings().starts_with(kName)
          ? std::strtoull(settings().substr(kName.size()).data(), nullptr, 10)
          : 0;
  return number;
}

std::atomic<std::uint64_t> launches{0};
std::atomic<bool> has_failed{false};

/// What a call that needs a device answers, all being well with its arguments.
cudaError_t answer() {
  return has_failed ? cudaErrorLaunchFailure : cudaSuccess;
}

thread_local bool has_device = false;

void require_device() {
  require(has_device, "the calling thread has chosen no device");
}

}  // namespace

}  // namespace firbank::test

namespace firbank::cuda {

template <class Real>
const void* kernel_entry(std::uint32_t number) {
  return number < kKernels ? &test::entries[test::kEntries<Real>][number] : nullptr;
}
template const void* kernel_entry<float>(std::uint32_t);
template const void* kernel_entry<double>(std::uint32_t);

}  // namespace firbank::cuda

using firbank::test::answer;
using firbank::test::Launch;
using firbank::test::Launches;
using firbank::test::Mark;
using firbank::test::Memory;
using firbank::test::require;
using firbank::test::require_device;

// The library's own names for what its handles point to.

struct CUstream_st : firbank::test::TaskStream {};

struct CUevent_st {
  std::mutex mutex;
  std::shared_ptr<Mark> mark;  // where it was recorded last

  std::shared_ptr<Mark> last() {
    const std::lock_guard lock(mutex);
    return mark;
  }
};

struct CUgraph_st {
  Launches launches;
};

struct CUgraphExec_st {
  Launches launches;
};

struct CUmemPoolHandle_st {};

extern "C" {

// ---- Devices

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

/// Says nothing of the state that the device is in.
cudaError_t cudaSetDevice(int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  firbank::test::has_device = true;
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure ? "a launch failed" : "an error";
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(firbank::test::kRuntimeSharedBytes);
      return answer();
    case cudaDevAttrMemoryPoolsSupported:
      *value = firbank::test::settings() == "no_pools" ? 0 : 1;
      return answer();
    default:
      return cudaErrorInvalidValue;
  }
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "the host");
  properties->major = 9;
  properties->multiProcessorCount = firbank::test::kMultiprocessors;
  return answer();
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* bytes) {
  require_device();
  *free_bytes = *bytes = firbank::test::kMemoryBytes;
  return answer();
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function) {
  require_device();
  require(function != nullptr, "a kernel has no entry");
  *attributes = {};
  return answer();
}

// ---- Memory

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  require_device();
  if (properties->allocType != cudaMemAllocationTypePinned ||
      properties->location.type != cudaMemLocationTypeDevice || properties->location.id != 0) {
    return cudaErrorInvalidValue;
  }
  *pool = new CUmemPoolHandle_st;
  return answer();
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete pool;
  return answer();
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  return answer();
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) {
  return answer();
}

cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t, cudaStream_t) {
  return cudaMalloc(memory, bytes);
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  require_device();
  if (bytes == 0 || bytes > firbank::test::kMemoryBytes) return cudaErrorMemoryAllocation;
  *memory = Memory::get().allocate(bytes);
  return answer();
}

cudaError_t cudaFree(void* memory) {
  require_device();
  Memory::get().release(memory);
  return answer();
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  require_device();
  stream->append([memory] { Memory::get().release(memory); });
  return answer();
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  require((flags & cudaHostAllocMapped) != 0, "host memory that devices do not reach is asked for");
  return cudaMalloc(memory, bytes);
}

cudaError_t cudaHostGetDevicePointer(void** there, void* memory, unsigned) {
  *there = memory;
  return answer();
}

cudaError_t cudaFreeHost(void* memory) {
  return cudaFree(memory);
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  require_device();
  Memory::get().require_whole(memory, bytes);
  stream->append([=] { std::memset(memory, value, bytes); });
  return answer();
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  require_device();
  Memory::get().require_whole(to, bytes);
  // Only what is set up comes from memory of the caller's own.
  if (kind != cudaMemcpyHostToDevice) Memory::get().require_whole(from, bytes);
  stream->append([=] { std::memcpy(to, from, bytes); });
  return answer();
}

// ---- Streams and events

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  require_device();
  *least = 0;
  *greatest = firbank::test::kMostUrgent;
  return answer();
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  require_device();
  require(flags == cudaStreamNonBlocking, "a stream waits for the default one");
  require(priority <= 0 && priority >= firbank::test::kMostUrgent, "there is no such priority");
  *stream = new CUstream_st;
  return answer();
}

/// Does not wait, and lets the stream come to its end.
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::thread([stream] { delete stream; }).detach();
  return answer();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  require_device();
  if (answer() != cudaSuccess) return answer();
  return stream->is_idle() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  require_device();
  *event = new CUevent_st;
  return answer();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return answer();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  require_device();
  const auto mark = std::make_shared<Mark>();
  {
    const std::lock_guard lock(event->mutex);
    event->mark = mark;
  }
  stream->append([mark] { mark->reach(); });
  return answer();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  require_device();
  if (answer() != cudaSuccess) return answer();
  const std::shared_ptr<Mark> mark = event->last();
  return mark == nullptr || mark->is_reached() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  require_device();
  const std::shared_ptr<Mark> mark = event->last();
  if (mark != nullptr) stream->append([mark] { mark->wait(); });
  return answer();
}

// ---- Kernels and graphs

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 threads, void** params,
                             std::size_t shared_bytes, cudaStream_t stream) {
  require_device();
  const auto launch = std::make_shared<const Launch>(function, grid, threads, params, shared_bytes);
  stream->append([launch] { launch->run(); });
  return answer();
}

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) {
  require_device();
  *graph = new CUgraph_st;
  return answer();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return answer();
}

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* before, std::size_t count,
                                   const cudaKernelNodeParams* params) {
  require_device();
  require(params->extra == nullptr, "parameters are given twice");
  // A node is known by the launch that it is. They are run in the order in which they were added,
  // which the edges allow; orders that differ are the fake device's to try.
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_there =
        std::any_of(graph->launches.begin(), graph->launches.end(), [&](const auto& launch) {
          return static_cast<const void*>(launch.get()) == static_cast<const void*>(before[i]);
        });
    if (!is_there) return cudaErrorInvalidValue;
  }
  const auto launch =
      std::make_shared<const Launch>(params->func, params->gridDim, params->blockDim,
                                     params->kernelParams, params->sharedMemBytes);
  graph->launches.push_back(launch);
  *node = reinterpret_cast<cudaGraphNode_t>(const_cast<Launch*>(launch.get()));
  return answer();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  require_device();
  *exec = new CUgraphExec_st{graph->launches};
  return answer();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return answer();
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  require_device();
  return answer();
}

/// A launch that fails is taken, and fails when its turn comes.
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  require_device();
  const cudaError_t taken = answer();
  const bool fails = ++firbank::test::launches == firbank::test::failing_launch();
  stream->append([launches = exec->launches, fails] {
    if (fails) firbank::test::has_failed = true;
    if (answer() != cudaSuccess) return;
    for (const auto& launch : launches) launch->run();
  });
  return taken;
}

}  // extern "C"
