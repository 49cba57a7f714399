// The plug-in's entry point: device_api.h, with exceptions turned into statuses and lines.
#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/device_api.h"

namespace firbank::cuda {

namespace {

thread_local char last_message[512] = "";

int refuse(int status, const char* message) noexcept {
  std::snprintf(last_message, sizeof(last_message), "%s", message);
  return status;
}

/// The status of `work`, which throws what goes wrong.
template <class Work>
int guarded(Work work) noexcept {
  try {
    return work();
  } catch (const CudaFailure& failure) {
    return refuse(failure.status(), failure.what());
  } catch (const std::bad_alloc&) {
    return refuse(FIRBANK_OUT_OF_MEMORY, "the host is out of memory");
  } catch (const std::exception& failure) {
    return refuse(FIRBANK_DEVICE_FAILED, failure.what());
  }
}

/// The same on an open device, which is lost when anything but the caller or memory is to blame.
template <class Work>
int guarded(firbank_device* device, Work work) noexcept {
  const int status = guarded([&] { return work(*device); });
  switch (status) {
    case FIRBANK_OK:
    case FIRBANK_BUSY:
    case FIRBANK_OUT_OF_MEMORY:
    case FIRBANK_INVALID:
      return status;
    default:
      device->lose();
      return FIRBANK_DEVICE_FAILED;
  }
}

const char* message() {
  return last_message;
}

int count(int* devices) {
  return guarded([&] {
    *devices = count_devices();
    return FIRBANK_OK;
  });
}

int describe(int index, firbank_device_info* info) {
  return guarded([&] {
    *info = describe_device(index);
    return FIRBANK_OK;
  });
}

int open(int index, firbank_device** device) {
  return guarded([&] {
    *device = std::make_unique<firbank_device>(index).release();
    return FIRBANK_OK;
  });
}

void close(firbank_device* device) {
  delete device;
}

int allocate(firbank_device* device, std::size_t bytes, void** memory) {
  return guarded(device, [&](Device& on) {
    *memory = on.allocate(bytes);
    return FIRBANK_OK;
  });
}

void release(firbank_device* device, void* memory) {
  device->release(memory);
}

int allocate_pinned(firbank_device* device, std::size_t bytes, void** memory) {
  return guarded(device, [&](Device& on) {
    *memory = on.allocate_pinned(bytes);
    return FIRBANK_OK;
  });
}

void release_pinned(firbank_device* device, void* memory) {
  device->release_pinned(memory);
}

int upload(firbank_device* device, void* to, const void* from, std::size_t bytes) {
  return guarded(device, [&](Device& on) {
    on.upload(to, from, bytes);
    return FIRBANK_OK;
  });
}

int run(firbank_device* device, const firbank_kernel_call* calls, std::size_t count) {
  return guarded(device, [&](Device& on) {
    on.run(calls, count);
    return FIRBANK_OK;
  });
}

int make_graph(firbank_device* device, const firbank_kernel_call* calls, std::size_t count,
               firbank_graph** graph) {
  return guarded(device, [&](Device& on) {
    *graph = on.make_graph(calls, count);
    return FIRBANK_OK;
  });
}

void free_graph(firbank_device* /*device*/, firbank_graph* graph) {
  delete graph;
}

int launch(firbank_device* device, int lane, firbank_graph* graph) {
  return guarded(device, [&](Device& on) {
    on.launch(lane, *graph);
    return FIRBANK_OK;
  });
}

int copy(firbank_device* device, int lane, void* to, const void* from, std::size_t bytes) {
  return guarded(device, [&](Device& on) {
    on.copy(lane, to, from, bytes);
    return FIRBANK_OK;
  });
}

int follow(firbank_device* device, int lane, int ahead) {
  return guarded(device, [&](Device& on) {
    on.follow(lane, ahead);
    return FIRBANK_OK;
  });
}

int status(firbank_device* device) {
  return guarded(device, [](Device& on) { return on.state(); });
}

constexpr firbank_device_api kApi{
    FIRBANK_DEVICE_API_VERSION,
    sizeof(firbank_device_api),
    message,
    count,
    describe,
    open,
    close,
    allocate,
    release,
    allocate_pinned,
    release_pinned,
    upload,
    run,
    make_graph,
    free_graph,
    launch,
    copy,
    follow,
    status,
};

}  // namespace

}  // namespace firbank::cuda

extern "C" __attribute__((visibility("default"))) const firbank_device_api*
firbank_device_plugin() {
  return &firbank::cuda::kApi;
}
