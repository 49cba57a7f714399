// A device that takes everything and does nothing, at once: behind the interface of the CUDA
// plug-in, with it the host's own share of a stream's time can be measured where there is no GPU.
// Answers come as they lie in the slots.
//
// It is a module named like the plug-in, in a folder of its own that FIRBANK_PLUGIN_DIR names.
//
// Thread: as device_api.h says.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"

struct firbank_device {};

/// What a launch tells the host: of a stream's graph, or of one that follows a copy.
struct firbank_graph {
  std::optional<firbank::cuda::CommandParams> command;
  std::optional<firbank::cuda::DeliverParams> delivery;
};

namespace firbank::bench {
namespace {

constexpr std::uint64_t kMemoryBytes = std::uint64_t{1} << 40;
constexpr std::size_t kAlignment = 256;

void tell(std::uint64_t& to, std::uint64_t value) {
  std::atomic_ref(to).store(value, std::memory_order_release);
}

const char* message() {
  return "the host is out of memory";
}

int count(int* devices) {
  *devices = 1;
  return FIRBANK_OK;
}

int describe(int index, firbank_device_info* info) {
  if (index != 0) return FIRBANK_NO_DEVICE;
  *info = {.name = "idle device",
           .compute_capability = 90,
           .multiprocessors = 132,
           .memory_bytes = kMemoryBytes,
           .free_bytes = kMemoryBytes};
  return FIRBANK_OK;
}

int open(int index, firbank_device** device) {
  if (index != 0) return FIRBANK_NO_DEVICE;
  *device = new (std::nothrow) firbank_device;
  return *device != nullptr ? FIRBANK_OK : FIRBANK_OUT_OF_MEMORY;
}

void close(firbank_device* device) {
  delete device;
}

int allocate_pinned(firbank_device*, std::size_t bytes, void** memory) {
  *memory = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (*memory == nullptr) return FIRBANK_OUT_OF_MEMORY;
  std::memset(*memory, 0, bytes);
  return FIRBANK_OK;
}

/// Only what counts launches is ever touched: the rest costs addresses alone.
int allocate(firbank_device*, std::size_t bytes, void** memory) {
  *memory = std::calloc(bytes, 1);
  return *memory != nullptr ? FIRBANK_OK : FIRBANK_OUT_OF_MEMORY;
}

void release(firbank_device*, void* memory) {
  std::free(memory);
}

int upload(firbank_device*, void*, const void*, std::size_t) {
  return FIRBANK_OK;
}

int run(firbank_device*, const firbank_kernel_call*, std::size_t) {
  return FIRBANK_OK;
}

template <class Params>
void take(const firbank_kernel_call& call, std::optional<Params>& params) {
  std::memcpy(&params.emplace(), call.params, sizeof(Params));
}

int make_graph(firbank_device*, const firbank_kernel_call* calls, std::size_t count,
               firbank_graph** graph) {
  *graph = new (std::nothrow) firbank_graph;
  if (*graph == nullptr) return FIRBANK_OUT_OF_MEMORY;
  for (const firbank_kernel_call* call = calls; call != calls + count; ++call) {
    const auto kernel = static_cast<cuda::Kernel>(call->kernel);
    if (kernel == cuda::Kernel::kEnd) take(*call, (*graph)->command);
    if (kernel == cuda::Kernel::kDeliver) take(*call, (*graph)->delivery);
  }
  return FIRBANK_OK;
}

void free_graph(firbank_device*, firbank_graph* graph) {
  delete graph;
}

int launch(firbank_device*, int, firbank_graph* graph) {
  if (graph->command) {
    const cuda::CommandParams& params = *graph->command;
    const std::uint64_t number = ++*params.taken;
    tell(params.progress->rendered, number);
    tell(params.progress->finished, number);
  }
  if (graph->delivery) {
    tell(graph->delivery->progress->delivered, ++*graph->delivery->count);
  }
  return FIRBANK_OK;
}

int copy(firbank_device*, int, void*, const void*, std::size_t) {
  return FIRBANK_OK;
}

int follow(firbank_device*, int, int) {
  return FIRBANK_OK;
}

int status(firbank_device*) {
  return FIRBANK_OK;
}

constexpr firbank_device_api kApi{
    .version = FIRBANK_DEVICE_API_VERSION,
    .bytes = sizeof(firbank_device_api),
    .message = message,
    .count = count,
    .describe = describe,
    .open = open,
    .close = close,
    .allocate = allocate,
    .release = release,
    .allocate_pinned = allocate_pinned,
    .release_pinned = release,
    .upload = upload,
    .run = run,
    .make_graph = make_graph,
    .free_graph = free_graph,
    .launch = launch,
    .copy = copy,
    .follow = follow,
    .status = status,
};

}  // namespace
}  // namespace firbank::bench

extern "C" __attribute__((visibility("default"))) const firbank_device_api*
firbank_device_plugin() {
  return &firbank::bench::kApi;
}
