// A device for the tests, behind the interface of the CUDA plug-in: it runs the same kernel bodies
// on the host, goes wrong on demand, and counts what is asked of it.
//
// It is a module named like the plug-in, in the folder FIRBANK_FAKE_DEVICE_DIR of the tests' build;
// FIRBANK_PLUGIN_DIR selects it. Each of its devices has a thread for each lane, which does what is
// appended to it in order. Settings come from the environment's FIRBANK_FAKE_DEVICE when the module
// is opened, and from configure() later: "devices=2,memory=1000000", each a name of this list and a
// value:
//   devices=N          devices there are (1)
//   driver=NAME        ok, none or old (ok)
//   kernels=NAME       ok, or none: the plug-in has none for the device (ok)
//   version=N          of the interface that the module claims to speak
//   bytes=N            of the interface, as the module claims
//   multiprocessors=N  that the device claims to have (8)
//   memory=N           bytes of device memory (17179869184)
//   pinned=N           bytes of pinned memory (17179869184)
//   fail_launch=N      the Nth launch fails, and all that follows (0: never)
//   fail_work=N        the Nth launch is taken, and fails when its turn comes (0: never)
//   delay_us=N         every launch takes so much longer (0)
//   hang=N             the Nth launch hangs until release_hang() or close() (0: never)
//   seed=N             of the orders in which threads and thread blocks take turns, and the kernels
//                      of a graph as far as its edges allow (1)
//   watch=N            1: kernels of a graph that may run at the same time and touch the same
//                      memory, one of them writing, make the launch fail; 0: nobody looks (1)
// Launches, of graphs and of copies, are counted from 1 on since the settings were made, over all
// devices.
//
// Thread: any, for all functions here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <dlfcn.h>

namespace firbank::test {

inline constexpr std::size_t kFakeKernels = 18;  // as kKernels of kernel_params.hpp

/// What was asked of the module since reset_counts(). A launch counts when it is taken; its kernels
/// and bytes before status() calls it done.
struct FakeDeviceCounts {
  std::uint64_t unfinished;  // of all that lanes have ever been given: what they are not done with
  std::uint64_t launches;    // of graphs
  std::uint64_t copies;
  std::uint64_t bytes_copied_in;  // to the device
  std::uint64_t bytes_copied_out;
  std::uint64_t most_ahead;  // copies to a device beyond those home that were done by then
  std::uint64_t allocations;
  std::uint64_t frees;
  std::uint64_t pinned_allocations;
  std::uint64_t pinned_frees;
  std::uint64_t graphs_made;
  std::uint64_t graphs_freed;
  std::uint64_t uploads;
  std::uint64_t runs;
  std::uint64_t waits;  // calls that wait for the device: upload, run and close
  // By firbank::cuda::Kernel: launches of kernels, in graphs and by run(), and what they moved, as
  // host_executor.hpp counts it.
  std::uint64_t kernels[kFakeKernels];
  std::uint64_t bytes_loaded[kFakeKernels];
  std::uint64_t bytes_stored[kFakeKernels];
  std::uint64_t parameter_bytes[kFakeKernels];
};

/// What is allocated now.
struct FakeDeviceMemory {
  std::uint64_t device_bytes;
  std::uint64_t pinned_bytes;
};

enum class FakeMemory : int { kOther = 0, kDevice = 1, kPinned = 2 };

struct FakeDeviceControl {
  /// Takes back what was set and what has failed, then sets `settings`. Returns null, or what is
  /// wrong with them.
  const char* (*configure)(const char* settings);
  void (*counts)(FakeDeviceCounts* counts);
  void (*reset_counts)();
  void (*memory)(FakeDeviceMemory* memory);
  /// What kind of allocation `address` lies in. Only kernels may touch device memory.
  FakeMemory (*memory_at)(const void* address);
  /// Lets what hangs go on.
  void (*release_hang)();
};

#define FIRBANK_FAKE_DEVICE_CONTROL_SYMBOL "firbank_fake_device_control"
using FakeDeviceControlEntry = const FakeDeviceControl* (*)();

/// The control of the fake device in file `path`, which stays open; null when it is none.
inline const FakeDeviceControl* fake_device_control(const std::string& path) {
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return nullptr;
  const auto entry =
      reinterpret_cast<FakeDeviceControlEntry>(dlsym(module, FIRBANK_FAKE_DEVICE_CONTROL_SYMBOL));
  return entry != nullptr ? entry() : nullptr;
}

/// Bytes that all kernels have loaded.
inline std::uint64_t all_bytes_loaded(const FakeDeviceCounts& counts) {
  std::uint64_t sum = 0;
  for (const std::uint64_t bytes : counts.bytes_loaded) sum += bytes;
  return sum;
}

}  // namespace firbank::test
