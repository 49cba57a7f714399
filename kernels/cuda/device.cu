#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/kernel_calls.hpp"
#include "kernels/cuda/kernel_entries.hpp"

namespace firbank::cuda {

namespace {

using namespace std::chrono_literals;

// Longer than anything that is launched or set up takes: who waited for that long waits in vain.
constexpr auto kLongestLaunch = 2s;
constexpr auto kLongestSetup = 30s;
// A sleep takes some fifty microseconds, however short it was meant to be.
constexpr auto kSpun = 100us;

const void* entry_of(std::uint32_t kernel, std::uint32_t real_bytes) {
  return real_bytes == sizeof(float) ? kernel_entry<float>(kernel) : kernel_entry<double>(kernel);
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

int attribute(cudaDeviceAttr which, int index) {
  int value = 0;
  check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&value, which, index));
  return value;
}

void load_kernel(int index, std::uint32_t kernel, std::uint32_t real_bytes) {
  cudaFuncAttributes attributes{};
  const cudaError_t error = cudaFuncGetAttributes(&attributes, entry_of(kernel, real_bytes));
  if (status_of(error) == FIRBANK_NO_KERNELS) {
    const int major = attribute(cudaDevAttrComputeCapabilityMajor, index);
    const int minor = attribute(cudaDevAttrComputeCapabilityMinor, index);
    throw CudaFailure(FIRBANK_NO_KERNELS, "the plug-in has no kernels for device " +
                                              std::to_string(index) + ", of compute capability " +
                                              std::to_string(major) + "." + std::to_string(minor) +
                                              ": " + cudaGetErrorString(error));
  }
  check("cudaFuncGetAttributes", error);
}

/// Loads every kernel, so that the first launch does not.
void load_kernels(int index) {
  for (const std::uint32_t real_bytes : {4U, 8U}) {
    for (std::uint32_t kernel = 0; kernel < kKernels; ++kernel) {
      load_kernel(index, kernel, real_bytes);
    }
  }
}

/// `fault` is null where there is none.
void refuse(const firbank_kernel_call& call, const char* fault) {
  if (fault == nullptr) return;
  throw CudaFailure(FIRBANK_INVALID,
                    "call of kernel " + std::to_string(call.kernel) + ": " + fault);
}

void check_bytes(std::size_t bytes) {
  if (bytes == 0) throw CudaFailure(FIRBANK_INVALID, "0 bytes were asked for; allowed: 1 and more");
}

/// CUDA copies the parameters while it takes a launch or a node, and only reads them.
void* params_of(const firbank_kernel_call& call) {
  return const_cast<void*>(call.params);
}

dim3 grid_of(const firbank_kernel_call& call) {
  return dim3(call.grid[0], call.grid[1], call.grid[2]);
}

}  // namespace

int count_devices() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error == cudaErrorNoDevice) return 0;
  if (error == cudaErrorInsufficientDriver) {
    // The run-time library says the same of a driver too old and of none at all.
    int driver = 0;
    int runtime = 0;
    check("cudaDriverGetVersion", cudaDriverGetVersion(&driver));
    check("cudaRuntimeGetVersion", cudaRuntimeGetVersion(&runtime));
    throw CudaFailure(FIRBANK_NO_DRIVER,
                      driver == 0 ? "no NVIDIA driver is installed"
                                  : "the NVIDIA driver knows CUDA up to " + version_text(driver) +
                                        ", and the plug-in is of CUDA " + version_text(runtime));
  }
  check("cudaGetDeviceCount", error);
  return devices;
}

int choose_device(int index) {
  const int devices = count_devices();
  if (index < 0 || index >= devices) {
    throw CudaFailure(FIRBANK_NO_DEVICE, "there is no CUDA device " + std::to_string(index) +
                                             "; devices here: " + std::to_string(devices));
  }
  check("cudaSetDevice", cudaSetDevice(index));
  return index;
}

firbank_device_info describe_device(int index) {
  choose_device(index);
  cudaDeviceProp properties{};
  check("cudaGetDeviceProperties", cudaGetDeviceProperties(&properties, index));
  std::size_t free_bytes = 0;
  std::size_t memory_bytes = 0;
  check("cudaMemGetInfo", cudaMemGetInfo(&free_bytes, &memory_bytes));
  load_kernel(index, 0, sizeof(float));  // any tells whether there are some for this device

  firbank_device_info info{};
  std::memcpy(info.name, properties.name, sizeof(info.name) - 1);  // both end in zeros
  info.compute_capability = static_cast<std::uint32_t>(10 * properties.major + properties.minor);
  info.multiprocessors = static_cast<std::uint32_t>(properties.multiProcessorCount);
  info.memory_bytes = memory_bytes;
  info.free_bytes = free_bytes;
  return info;
}

Device::Device(int index) : index_(choose_device(index)) {
  most_shared_bytes_ =
      static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlock, index));
  load_kernels(index);
  if (attribute(cudaDevAttrMemoryPoolsSupported, index) != 0) pool_.emplace(index);
}

Device::~Device() {
  if (cudaSetDevice(index_) != cudaSuccess) return;
  try {
    if (!lost_) wait_for_lanes(kLongestLaunch);
  } catch (const CudaFailure&) {
    // Lost: nothing is under way that could be waited for.
  }
}

void Device::enter() {
  if (lost_.load(std::memory_order_relaxed)) {
    throw CudaFailure(FIRBANK_DEVICE_FAILED,
                      "CUDA device " + std::to_string(index_) + " has failed before");
  }
  check("cudaSetDevice", cudaSetDevice(index_));
}

bool Device::wait(const CudaStream& stream, std::chrono::nanoseconds limit) {
  const CudaEvent reached;
  check("cudaEventRecord", cudaEventRecord(reached.get(), stream.get()));
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  std::chrono::nanoseconds pause = 5us;
  // CUDA's own wait knows no limit. Short work, most of what is set up, is done before a sleep
  // would be over; long work costs little.
  for (;;) {
    const cudaError_t error = cudaEventQuery(reached.get());
    if (error == cudaSuccess) return true;
    if (error != cudaErrorNotReady) check("cudaEventQuery", error);
    const std::chrono::nanoseconds waited = Clock::now() - begin;
    if (waited >= limit) return false;
    if (waited < kSpun) continue;
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::nanoseconds>(2 * pause, 500us);
  }
}

bool Device::wait_for_lanes(std::chrono::nanoseconds limit) {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [&](const CudaStream& lane) { return wait(lane, limit); });
}

void Device::finish_setup() {
  if (wait(setup_stream_, kLongestSetup)) return;
  throw CudaFailure(FIRBANK_DEVICE_FAILED, "CUDA device " + std::to_string(index_) +
                                               " has not finished set-up work within 30 s");
}

void* Device::allocate(std::size_t bytes) {
  enter();
  check_bytes(bytes);
  const std::lock_guard lock(setup_mutex_);
  void* memory = nullptr;
  if (pool_) {
    const auto from_pool = [&] {
      return cudaMallocFromPoolAsync(&memory, bytes, pool_->get(), setup_stream_.get());
    };
    cudaError_t error = from_pool();
    if (error == cudaErrorMemoryAllocation) {
      // What was freed may lie in pieces; whole again, it may do.
      finish_setup();
      pool_->trim();
      error = from_pool();
    }
    check("cudaMallocFromPoolAsync", error);
  } else {
    check("cudaMalloc", cudaMalloc(&memory, bytes));
  }
  check("cudaMemsetAsync", cudaMemsetAsync(memory, 0, bytes, setup_stream_.get()));
  finish_setup();
  return memory;
}

void Device::release(void* memory) noexcept {
  if (memory == nullptr || lost_) return;
  try {
    enter();
    const std::lock_guard lock(setup_mutex_);
    if (!pool_) {
      // cudaFree waits for the device, without a limit.
      if (!wait_for_lanes(kLongestLaunch)) return lose();
      return check("cudaFree", cudaFree(memory));
    }
    for (const CudaStream& lane : lanes_) {
      const CudaEvent launched;
      check("cudaEventRecord", cudaEventRecord(launched.get(), lane.get()));
      check("cudaStreamWaitEvent", cudaStreamWaitEvent(setup_stream_.get(), launched.get(), 0));
    }
    check("cudaFreeAsync", cudaFreeAsync(memory, setup_stream_.get()));
  } catch (const CudaFailure& failure) {
    if (failure.status() != FIRBANK_INVALID) lose();
  }
}

void* Device::allocate_pinned(std::size_t bytes) {
  enter();
  check_bytes(bytes);
  void* memory = nullptr;
  check("cudaHostAlloc",
        cudaHostAlloc(&memory, bytes, cudaHostAllocMapped | cudaHostAllocPortable));
  void* there = nullptr;
  const cudaError_t error = cudaHostGetDevicePointer(&there, memory, 0);
  if (error != cudaSuccess || there != memory) {
    cudaFreeHost(memory);
    check("cudaHostGetDevicePointer", error);
    throw CudaFailure(FIRBANK_NO_DEVICE, "CUDA device " + std::to_string(index_) +
                                             " does not reach host memory at its own address");
  }
  std::memset(memory, 0, bytes);
  return memory;
}

void Device::release_pinned(void* memory) noexcept {
  if (memory == nullptr || lost_) return;
  try {
    enter();
    // cudaFreeHost waits for the device, without a limit.
    if (!wait_for_lanes(kLongestLaunch)) return lose();
    check("cudaFreeHost", cudaFreeHost(memory));
  } catch (const CudaFailure& failure) {
    if (failure.status() != FIRBANK_INVALID) lose();
  }
}

void Device::upload(void* to, const void* from, std::size_t bytes) {
  enter();
  const std::lock_guard lock(setup_mutex_);
  check("cudaMemcpyAsync",
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, setup_stream_.get()));
  finish_setup();
}

void Device::run(const firbank_kernel_call* calls, std::size_t count) {
  enter();
  for (std::size_t i = 0; i < count; ++i) refuse(calls[i], fault_of(calls[i], most_shared_bytes_));
  const std::lock_guard lock(setup_mutex_);
  for (std::size_t i = 0; i < count; ++i) {
    const firbank_kernel_call& call = calls[i];
    void* params[] = {params_of(call)};
    check("cudaLaunchKernel",
          cudaLaunchKernel(entry_of(call.kernel, call.real_bytes), grid_of(call),
                           dim3(call.threads), params, call.shared_bytes, setup_stream_.get()));
  }
  finish_setup();
}

firbank_graph* Device::make_graph(const firbank_kernel_call* calls, std::size_t count) {
  enter();
  const CudaGraph graph;
  std::vector<cudaGraphNode_t> nodes(count);
  std::vector<cudaGraphNode_t> before;
  for (std::size_t i = 0; i < count; ++i) {
    const firbank_kernel_call& call = calls[i];
    refuse(call, fault_of(call, most_shared_bytes_));
    refuse(call, fault_of_order(call, i));
    before.clear();
    for (std::uint32_t k = 0; k < call.after_count; ++k) before.push_back(nodes[call.after[k]]);
    void* params[] = {params_of(call)};
    cudaKernelNodeParams node{};
    node.func = const_cast<void*>(entry_of(call.kernel, call.real_bytes));
    node.gridDim = grid_of(call);
    node.blockDim = dim3(call.threads);
    node.sharedMemBytes = call.shared_bytes;
    node.kernelParams = params;
    check("cudaGraphAddKernelNode",
          cudaGraphAddKernelNode(&nodes[i], graph.get(), before.data(), before.size(), &node));
  }
  auto made = std::make_unique<firbank_graph>(firbank_graph{CudaGraphExec(graph)});
  const std::lock_guard lock(setup_mutex_);
  check("cudaGraphUpload", cudaGraphUpload(made->exec.get(), setup_stream_.get()));
  finish_setup();
  return made.release();
}

cudaStream_t Device::stream(int lane) const {
  if (lane >= 0 && lane < FIRBANK_LANES) return lanes_[static_cast<std::size_t>(lane)].get();
  throw CudaFailure(FIRBANK_INVALID, "there is no lane " + std::to_string(lane) +
                                         "; lanes: " + std::to_string(FIRBANK_LANES));
}

void Device::launch(int lane, const firbank_graph& graph) {
  enter();
  check("cudaGraphLaunch", cudaGraphLaunch(graph.exec.get(), stream(lane)));
}

void Device::copy(int lane, void* to, const void* from, std::size_t bytes) {
  enter();
  check("cudaMemcpyAsync", cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream(lane)));
}

void Device::follow(int lane, int ahead) {
  enter();
  const cudaStream_t behind = stream(lane);
  const cudaStream_t before = stream(ahead);
  // A wait is for the mark as it was when it was asked for: the next one may move it.
  const cudaEvent_t mark = marks_[static_cast<std::size_t>(ahead)].get();
  check("cudaEventRecord", cudaEventRecord(mark, before));
  check("cudaStreamWaitEvent", cudaStreamWaitEvent(behind, mark, 0));
}

int Device::state() {
  enter();
  bool is_busy = false;
  for (const CudaStream& lane : lanes_) {
    const cudaError_t error = cudaStreamQuery(lane.get());
    if (error == cudaErrorNotReady) {
      is_busy = true;
    } else {
      check("cudaStreamQuery", error);
    }
  }
  return is_busy ? FIRBANK_BUSY : FIRBANK_OK;
}

}  // namespace firbank::cuda
