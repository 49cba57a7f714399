/* The C interface between firbank and what drives a GPU: memory, graphs of kernels, and their
 * state.
 *
 * The library computes nothing on a device by itself. It opens a plug-in at run time, which holds
 * the compiled kernels and the CUDA run-time library, so that one installation serves machines with
 * and without CUDA. The tests put a device of their own behind the same interface, which executes
 * the same kernel bodies on the host.
 *
 * Status codes are 0 for success. Nothing throws and nothing is printed. A function that fails has
 * done nothing. message() says in one line what the calling thread's last failure was.
 *
 * Thread: open, allocations, upload and run may be called from any thread, also while another
 *         launches. launch, copy, follow and status belong to one thread at a time.
 */
#ifndef FIRBANK_KERNELS_CUDA_DEVICE_API_H
#define FIRBANK_KERNELS_CUDA_DEVICE_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes with any change of this file or of kernel_params.hpp. */
#define FIRBANK_DEVICE_API_VERSION 5u

/* The one symbol that a plug-in exports, a firbank_device_api_entry. */
#define FIRBANK_DEVICE_API_SYMBOL "firbank_device_plugin"

enum firbank_status {
  FIRBANK_OK = 0,
  FIRBANK_BUSY = 1,       /* status() only: work is under way */
  FIRBANK_NO_DRIVER = 2,  /* none, or older than the plug-in needs */
  FIRBANK_NO_DEVICE = 3,  /* none of that number */
  FIRBANK_NO_KERNELS = 4, /* the plug-in has none for the device's architecture */
  FIRBANK_OUT_OF_MEMORY = 5,
  FIRBANK_DEVICE_FAILED = 6, /* nothing more can be expected of the device in this process */
  FIRBANK_INVALID = 7        /* a fault of the caller */
};

/* Lanes of a device: each does one thing after another, beside the others. */
enum firbank_lane {
  FIRBANK_LANE_COMPUTE = 0,
  FIRBANK_LANE_IN = 1,
  FIRBANK_LANE_OUT = 2,
  FIRBANK_LANES = 3 /* how many there are */
};

typedef struct firbank_device firbank_device;
typedef struct firbank_graph firbank_graph;

typedef struct firbank_device_info {
  char name[128];
  uint32_t compute_capability; /* 90 for 9.0 */
  uint32_t multiprocessors;
  uint64_t memory_bytes;
  uint64_t free_bytes;
} firbank_device_info;

/* One launch of one kernel. What `params` and `after` point to is copied when the call is taken. */
typedef struct firbank_kernel_call {
  uint32_t kernel;     /* firbank::cuda::Kernel */
  uint32_t real_bytes; /* 4: float, 8: double */
  uint32_t grid[3];
  uint32_t threads; /* of a thread block */
  uint32_t shared_bytes;
  uint32_t params_bytes;
  const void* params; /* the kernel's structure of kernel_params.hpp */
  /* In a graph: the calls that this one waits for, by their numbers in the list, counted from 0;
   * all come before it there, each is named once. Without any it may begin with the graph. */
  uint32_t after_count;
  const uint32_t* after;
} firbank_kernel_call;

typedef struct firbank_device_api {
  uint32_t version; /* FIRBANK_DEVICE_API_VERSION, first in every version */
  uint32_t bytes;   /* sizeof(firbank_device_api) */

  const char* (*message)(void);

  /* A driver without devices is no failure: 0. */
  int (*count)(int* devices);
  /* Fails for a device that open() would refuse, too, but for want of memory. */
  int (*describe)(int index, firbank_device_info* info);

  /* Loads every kernel, so that the first launch does not. */
  int (*open)(int index, firbank_device** device);
  /* Waits for the device, but not for one that has failed or hangs; what was made with it must be
   * gone. */
  void (*close)(firbank_device* device);

  /* Device memory, 1 byte or more, zeroed, aligned to 256 bytes. What is released must not be in
   * use by anything launched, unless the device has failed or has not answered in time: then it
   * stays whole for as long as the device may still touch it. */
  int (*allocate)(firbank_device* device, size_t bytes, void** memory);
  void (*release)(firbank_device* device, void* memory);
  /* Likewise host memory, that the device reads and writes at the same address. */
  int (*allocate_pinned)(firbank_device* device, size_t bytes, void** memory);
  void (*release_pinned)(firbank_device* device, void* memory);

  /* Set-up: copies to device memory, and runs kernels once, one after another as they are listed;
   * both wait for their own work only, not for graphs that run meanwhile. */
  int (*upload)(firbank_device* device, void* to, const void* from, size_t bytes);
  int (*run)(firbank_device* device, const firbank_kernel_call* calls, size_t count);

  /* A graph of kernels, ready to be launched. Those that no path of `after` joins may run at the
   * same time, so neither writes what the other one touches. */
  int (*make_graph)(firbank_device* device, const firbank_kernel_call* calls, size_t count,
                    firbank_graph** graph);
  void (*free_graph)(firbank_device* device, firbank_graph* graph);

  /* Each appends to a lane and returns at once: a graph, which is for one lane only; a copy between
   * pinned and device memory, either way; and that what is appended to the lane from now on begins
   * when all that lane `ahead` holds now is done. */
  int (*launch)(firbank_device* device, int lane, firbank_graph* graph);
  int (*copy)(firbank_device* device, int lane, void* to, const void* from, size_t bytes);
  int (*follow)(firbank_device* device, int lane, int ahead);
  /* FIRBANK_OK: all lanes are done; FIRBANK_BUSY; or what went wrong. Never waits. */
  int (*status)(firbank_device* device);
} firbank_device_api;

typedef const firbank_device_api* (*firbank_device_api_entry)(void);

#ifdef __cplusplus
}
#endif

#endif
