#include "tests/support/fake_device.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_calls.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "tests/support/fake_device_settings.hpp"
#include "tests/support/host_executor.hpp"
#include "tests/support/host_graph.hpp"
#include "tests/support/touched_memory.hpp"

namespace firbank::test {

namespace {

static_assert(kFakeKernels == cuda::kKernels);

constexpr std::size_t kSharedBytes = 48 * 1024;  // of a thread block, as on every GPU
constexpr std::size_t kMostWaiting = 1024;       // launches taken and not done
constexpr std::size_t kAlignment = 256;

// A launch that is not done by then is late, however busy the machine is: whoever gives up on a
// device that is not told to be slow has waited for longer.
constexpr auto kLate = std::chrono::milliseconds(250);

// No destructor: a static object may still use its device after the thread's own objects have gone.
thread_local char last_message[512] = "";

int refuse(int status, const std::string& message) {
  std::snprintf(last_message, sizeof(last_message), "%s", message.c_str());
  return status;
}

/// What all devices of the module share.
class Module {
 public:
  /// Never destroyed: devices may be open until the process ends.
  static Module& get() {
    static Module& module = *new Module;
    return module;
  }

  const char* configure(const char* text) {
    FakeDeviceSettings settings;
    const std::string fault = read_fake_device_settings(text, settings);
    if (!fault.empty()) {
      refuse(FIRBANK_INVALID, fault);
      return last_message;
    }
    const std::lock_guard lock(mutex_);
    settings_ = settings;
    launches_ = 0;
    failed_ = false;
    hang_released_ = false;
    return nullptr;
  }

  FakeDeviceSettings settings() {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  /// Counts one more of `what`.
  void count(std::uint64_t FakeDeviceCounts::*what) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*what);
  }

  void count_copied(bool goes_in, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    (goes_in ? counts_.bytes_copied_in : counts_.bytes_copied_out) += bytes;
  }

  /// `pieces` have gone to the device whose answers are not home.
  void count_ahead(std::uint64_t pieces) {
    const std::lock_guard lock(mutex_);
    counts_.most_ahead = std::max(counts_.most_ahead, pieces);
  }

  /// A lane has been given something; or is done with it.
  void begin_item() { ++unfinished_; }
  void end_item() { --unfinished_; }

  FakeDeviceCounts counts() {
    const std::lock_guard lock(mutex_);
    FakeDeviceCounts counts = counts_;
    counts.unfinished = unfinished_;
    return counts;
  }

  void reset_counts() {
    const std::lock_guard lock(mutex_);
    counts_ = {};
  }

  /// The number of the next launch.
  std::uint64_t next_launch() {
    const std::lock_guard lock(mutex_);
    return ++launches_;
  }

  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  void release_hang() { hang_released_ = true; }
  bool hang_released() const { return hang_released_; }

  int allocate(FakeMemory kind, std::size_t bytes, void** memory) {
    if (bytes == 0) return refuse(FIRBANK_INVALID, "0 bytes were asked for; allowed: 1 and more");
    const std::lock_guard lock(mutex_);
    const bool device = kind == FakeMemory::kDevice;
    std::uint64_t& used = device ? memory_.device_bytes : memory_.pinned_bytes;
    const std::uint64_t limit = device ? settings_.memory_bytes : settings_.pinned_bytes;
    if (used > limit || bytes > limit - used) {
      return refuse(FIRBANK_OUT_OF_MEMORY, "out of memory: " + std::to_string(bytes) +
                                               " bytes asked for, " + std::to_string(used) +
                                               " of " + std::to_string(limit) + " in use");
    }
    // Not a byte more than asked for, so that AddressSanitizer sees what goes beyond.
    void* made = nullptr;
    if (posix_memalign(&made, kAlignment, bytes) != 0) {
      return refuse(FIRBANK_OUT_OF_MEMORY, "the host is out of memory");
    }
    std::memset(made, 0, bytes);
    allocations_[static_cast<std::byte*>(made)] = {kind, bytes};
    used += bytes;
    ++(device ? counts_.allocations : counts_.pinned_allocations);
    *memory = made;
    return FIRBANK_OK;
  }

  /// Takes `memory` off the books; the caller frees it.
  void release(FakeMemory kind, void* memory) {
    const std::lock_guard lock(mutex_);
    const auto found = allocations_.find(static_cast<std::byte*>(memory));
    if (found == allocations_.end() || found->second.kind != kind) {
      std::fputs("fake device: memory released that was not allocated so\n", stderr);
      std::abort();
    }
    const bool device = kind == FakeMemory::kDevice;
    (device ? memory_.device_bytes : memory_.pinned_bytes) -= found->second.bytes;
    ++(device ? counts_.frees : counts_.pinned_frees);
    allocations_.erase(found);
  }

  /// Whether what is launched is done as soon as it can be, and whoever waits for it is told.
  bool is_prompt() {
    const std::lock_guard lock(mutex_);
    return !failed_ && settings_.hang == 0 && settings_.delay_us == 0;
  }

  FakeDeviceMemory memory() {
    const std::lock_guard lock(mutex_);
    return memory_;
  }

  FakeMemory memory_at(const void* address) {
    const std::lock_guard lock(mutex_);
    const auto* at = static_cast<const std::byte*>(address);
    auto after = allocations_.upper_bound(const_cast<std::byte*>(at));
    if (after == allocations_.begin()) return FakeMemory::kOther;
    const auto& [begin, allocation] = *std::prev(after);
    return at < begin + allocation.bytes ? allocation.kind : FakeMemory::kOther;
  }

  /// Runs a kernel on the calling thread; what it does wrong is a failure of the device. Returns
  /// what that is, or an empty text.
  std::string execute(const firbank_kernel_call& call, const HostRun& run) {
    HostTraffic moved;
    try {
      moved = execute_kernel(call, run);
    } catch (const std::exception& fault) {
      fail();
      return "kernel " + std::to_string(call.kernel) + ": " + fault.what();
    }
    const std::lock_guard lock(mutex_);
    ++counts_.kernels[call.kernel];
    counts_.bytes_loaded[call.kernel] += moved.loaded_bytes;
    counts_.bytes_stored[call.kernel] += moved.stored_bytes;
    counts_.parameter_bytes[call.kernel] += moved.parameter_bytes;
    return {};
  }

 private:
  struct Allocation {
    FakeMemory kind;
    std::size_t bytes;
  };

  Module() {
    const char* text = std::getenv("FIRBANK_FAKE_DEVICE");
    if (text != nullptr && configure(text) != nullptr) {
      std::fprintf(stderr, "FIRBANK_FAKE_DEVICE: %s\n", last_message);
      std::abort();
    }
  }

  std::mutex mutex_;  // guards all but the atomics
  FakeDeviceSettings settings_;
  FakeDeviceCounts counts_{};
  FakeDeviceMemory memory_{};
  std::map<std::byte*, Allocation> allocations_;
  std::uint64_t launches_ = 0;
  std::atomic<std::uint64_t> unfinished_{0};
  std::atomic<bool> failed_{false};
  std::atomic<bool> hang_released_{false};
};

/// Runs a graph's kernels in an order that its edges allow. Returns what goes wrong, or an empty
/// text.
std::string execute_graph(const HostGraph& graph, std::uint64_t seed, bool watch) {
  Module& module = Module::get();
  std::vector<TouchedMemory> touched(graph.size());
  for (const std::size_t number : graph.order(seed)) {
    HostRun run{.seed = seed};
    if (watch && !graph.runs_alone(number)) run.touched = &touched[number];
    std::string fault = module.execute(graph.call(number), run);
    if (!fault.empty()) return fault;
  }
  for (std::size_t b = 0; watch && b < graph.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      if (!graph.side_by_side(a, b) || conflict(touched[a], touched[b]) == nullptr) continue;
      module.fail();
      return "kernels " + std::to_string(graph.call(a).kernel) + " and " +
             std::to_string(graph.call(b).kernel) + ", calls " + std::to_string(a) + " and " +
             std::to_string(b) + " of a graph, may run at the same time and touch the same memory";
    }
  }
  return {};
}

const char* fault_of_all(const firbank_kernel_call* calls, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const char* fault = cuda::fault_of(calls[i], kSharedBytes);
    if (fault != nullptr) return fault;
  }
  return nullptr;
}

}  // namespace

}  // namespace firbank::test

struct firbank_graph {
  std::shared_ptr<const firbank::test::HostGraph> graph;
};

/// What is appended to the lanes waits in rings made beforehand, so that nothing allocates then.
struct firbank_device {
 public:
  firbank_device() {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      lanes_[lane].worker = std::thread([this, lane] { work(lanes_[lane]); });
    }
  }

  ~firbank_device() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    for (Lane& lane : lanes_) lane.worker.join();
  }

  int launch(int lane, const firbank_graph& graph) {
    return append(lane, {.graph = graph.graph}, &firbank::test::FakeDeviceCounts::launches);
  }

  int copy(int lane, void* to, const void* from, std::size_t bytes) {
    return append(lane, {.to = to, .from = from, .bytes = bytes},
                  &firbank::test::FakeDeviceCounts::copies);
  }

  int follow(int lane, int ahead) {
    if (!is_lane(lane) || !is_lane(ahead)) return refuse_lane();
    const std::lock_guard lock(mutex_);
    return put(lanes_[static_cast<std::size_t>(lane)],
               {.ahead = &lanes_[static_cast<std::size_t>(ahead)],
                .until = lanes_[static_cast<std::size_t>(ahead)].taken});
  }

  bool busy() {
    const std::lock_guard lock(mutex_);
    return std::any_of(lanes_.begin(), lanes_.end(),
                       [](const Lane& lane) { return lane.taken != lane.done; });
  }

  /// Frees memory that a caller has given back: at once on a device that is well, so that
  /// AddressSanitizer sees what still uses it. Whoever has given up a device that fails or is late,
  /// be it for want of a processor, cannot know what it does, so that memory lives until the device
  /// is closed.
  void free_memory(void* memory) {
    HostMemory freed(memory);
    const bool is_prompt = firbank::test::Module::get().is_prompt();
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const bool may_be_touched = std::any_of(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
      return lane.taken != lane.done &&
             (!is_prompt || now - lane.oldest().since > firbank::test::kLate);
    });
    if (may_be_touched) kept_.push_back(std::move(freed));
  }

 private:
  struct FreeHostMemory {
    void operator()(void* memory) const { std::free(memory); }
  };
  using HostMemory = std::unique_ptr<void, FreeHostMemory>;

  struct Lane;
  /// A graph, a copy, or a wait for another lane.
  struct Item {
    std::shared_ptr<const firbank::test::HostGraph> graph = {};
    void* to = nullptr;
    const void* from = nullptr;
    std::size_t bytes = 0;
    const Lane* ahead = nullptr;
    std::uint64_t until = 0;                           // items that it has done
    std::uint64_t number = 0;                          // of graphs and copies
    std::chrono::steady_clock::time_point since = {};  // when it was taken
  };
  struct Lane {
    std::array<Item, firbank::test::kMostWaiting> waiting;
    std::uint64_t taken = 0;
    std::uint64_t done = 0;
    std::thread worker;

    Item& oldest() { return waiting[done % waiting.size()]; }
    const Item& oldest() const { return waiting[done % waiting.size()]; }
  };

  static bool is_lane(int lane) { return lane >= 0 && lane < FIRBANK_LANES; }

  static int refuse_lane() {
    return firbank::test::refuse(FIRBANK_INVALID, "there is no such lane");
  }

  int append(int lane, Item item, std::uint64_t firbank::test::FakeDeviceCounts::*count) {
    using firbank::test::Module;
    if (!is_lane(lane)) return refuse_lane();
    item.number = Module::get().next_launch();
    if (item.number == Module::get().settings().fail_launch) {
      Module::get().fail();
      return firbank::test::refuse(FIRBANK_DEVICE_FAILED,
                                   "launch " + std::to_string(item.number) + " failed");
    }
    const std::lock_guard lock(mutex_);
    const bool is_sent = lane == FIRBANK_LANE_IN && item.from != nullptr;
    const int status = put(lanes_[static_cast<std::size_t>(lane)], std::move(item));
    if (status != FIRBANK_OK) return status;
    Module::get().count(count);
    if (is_sent) Module::get().count_ahead(++sent_ - home_);
    return status;
  }

  int put(Lane& lane, Item item) {
    if (lane.taken - lane.done == lane.waiting.size()) {
      return firbank::test::refuse(FIRBANK_DEVICE_FAILED, "too many launches wait");
    }
    item.since = std::chrono::steady_clock::now();
    lane.waiting[lane.taken % lane.waiting.size()] = std::move(item);
    ++lane.taken;
    firbank::test::Module::get().begin_item();
    changed_.notify_all();
    return FIRBANK_OK;
  }

  void work(Lane& lane) {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return closing_ || lane.taken != lane.done; });
      if (lane.taken == lane.done) return;
      Item item = std::move(lane.oldest());  // it keeps when it was taken
      if (item.ahead != nullptr) {
        changed_.wait(lock, [&] { return item.ahead->done >= item.until; });
      } else {
        const bool comes_home = &lane == &lanes_[FIRBANK_LANE_OUT] && item.from != nullptr;
        lock.unlock();
        execute(item);
        item = {};
        lock.lock();
        if (comes_home) ++home_;
      }
      ++lane.done;
      firbank::test::Module::get().end_item();
      changed_.notify_all();
    }
  }

  void execute(const Item& item) {
    auto& module = firbank::test::Module::get();
    const firbank::test::FakeDeviceSettings settings = module.settings();
    if (item.number == settings.hang) {
      while (!module.hang_released()) {
        if (closing()) return module.fail();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    if (item.number == settings.fail_work) module.fail();
    if (module.failed()) return;
    if (settings.delay_us > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(settings.delay_us));
    }
    if (item.graph == nullptr) {
      std::memcpy(item.to, item.from, item.bytes);
      return;
    }
    const std::string fault =
        firbank::test::execute_graph(*item.graph, settings.seed + item.number, settings.watch != 0);
    if (!fault.empty()) std::fprintf(stderr, "fake device: %s\n", fault.c_str());
  }

  bool closing() {
    const std::lock_guard lock(mutex_);
    return closing_;
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool closing_ = false;
  std::vector<HostMemory> kept_;
  std::uint64_t sent_ = 0;  // copies to the device
  std::uint64_t home_ = 0;  // and from it, done
  std::array<Lane, FIRBANK_LANES> lanes_;
};

namespace firbank::test {

namespace {

int refuse_when_failed() {
  if (!Module::get().failed()) return FIRBANK_OK;
  return refuse(FIRBANK_DEVICE_FAILED, "the device has failed: unspecified launch failure");
}

const char* message() {
  return last_message;
}

int count(int* devices) {
  const FakeDeviceSettings settings = Module::get().settings();
  if (settings.driver == FakeDriver::kNone) {
    return refuse(FIRBANK_NO_DRIVER, "no NVIDIA driver is installed");
  }
  if (settings.driver == FakeDriver::kOld) {
    return refuse(FIRBANK_NO_DRIVER,
                  "the NVIDIA driver knows CUDA up to 11.4, and the plug-in is of CUDA 13.0");
  }
  *devices = settings.devices;
  return FIRBANK_OK;
}

int check_index(int index) {
  int devices = 0;
  const int status = count(&devices);
  if (status != FIRBANK_OK) return status;
  if (index >= 0 && index < devices) return FIRBANK_OK;
  return refuse(FIRBANK_NO_DEVICE, "there is no CUDA device " + std::to_string(index) +
                                       "; devices here: " + std::to_string(devices));
}

/// Whether there is such a device, and kernels for it.
int check_kernels(int index) {
  int status = check_index(index);
  if (status == FIRBANK_OK && !Module::get().settings().kernels) {
    status = refuse(FIRBANK_NO_KERNELS,
                    "the plug-in has no kernels for device " + std::to_string(index) +
                        ", of compute capability 9.0: no kernel image is available");
  }
  return status;
}

int describe(int index, firbank_device_info* info) {
  const int status = check_kernels(index);
  if (status != FIRBANK_OK) return status;
  const FakeDeviceSettings settings = Module::get().settings();
  *info = {};
  std::snprintf(info->name, sizeof(info->name), "firbank's fake device %d", index);
  info->compute_capability = 90;
  info->multiprocessors = settings.multiprocessors;
  info->memory_bytes = settings.memory_bytes;
  info->free_bytes =
      settings.memory_bytes - std::min(settings.memory_bytes, Module::get().memory().device_bytes);
  return FIRBANK_OK;
}

int open(int index, firbank_device** device) {
  int status = check_kernels(index);
  if (status == FIRBANK_OK) status = refuse_when_failed();
  if (status == FIRBANK_OK) *device = new firbank_device;
  return status;
}

void close(firbank_device* device) {
  Module::get().count(&FakeDeviceCounts::waits);
  delete device;
}

int allocate(firbank_device* /*device*/, std::size_t bytes, void** memory) {
  const int status = refuse_when_failed();
  return status != FIRBANK_OK ? status : Module::get().allocate(FakeMemory::kDevice, bytes, memory);
}

void release(firbank_device* device, FakeMemory kind, void* memory) {
  if (memory == nullptr) return;
  Module::get().release(kind, memory);
  device->free_memory(memory);
}

void release(firbank_device* device, void* memory) {
  release(device, FakeMemory::kDevice, memory);
}

int allocate_pinned(firbank_device* /*device*/, std::size_t bytes, void** memory) {
  const int status = refuse_when_failed();
  return status != FIRBANK_OK ? status : Module::get().allocate(FakeMemory::kPinned, bytes, memory);
}

void release_pinned(firbank_device* device, void* memory) {
  release(device, FakeMemory::kPinned, memory);
}

int upload(firbank_device* /*device*/, void* to, const void* from, std::size_t bytes) {
  const int status = refuse_when_failed();
  if (status != FIRBANK_OK) return status;
  if (bytes > 0 &&
      (Module::get().memory_at(to) != FakeMemory::kDevice ||
       Module::get().memory_at(static_cast<std::byte*>(to) + bytes - 1) != FakeMemory::kDevice)) {
    return refuse(FIRBANK_INVALID, "upload to what is not device memory");
  }
  std::memcpy(to, from, bytes);
  Module::get().count(&FakeDeviceCounts::uploads);
  Module::get().count(&FakeDeviceCounts::waits);
  return FIRBANK_OK;
}

int run(firbank_device* /*device*/, const firbank_kernel_call* calls, std::size_t count) {
  const int status = refuse_when_failed();
  if (status != FIRBANK_OK) return status;
  const char* fault = fault_of_all(calls, count);
  if (fault != nullptr) return refuse(FIRBANK_INVALID, fault);
  const std::uint64_t seed = Module::get().settings().seed;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string wrong = Module::get().execute(calls[i], {.seed = seed});
    if (!wrong.empty()) return refuse(FIRBANK_DEVICE_FAILED, wrong);
  }
  Module::get().count(&FakeDeviceCounts::runs);
  Module::get().count(&FakeDeviceCounts::waits);
  return FIRBANK_OK;
}

int make_graph(firbank_device* /*device*/, const firbank_kernel_call* calls, std::size_t count,
               firbank_graph** graph) {
  const int status = refuse_when_failed();
  if (status != FIRBANK_OK) return status;
  const char* fault = fault_of_all(calls, count);
  for (std::size_t i = 0; fault == nullptr && i < count; ++i) {
    fault = cuda::fault_of_order(calls[i], i);
  }
  if (fault != nullptr) return refuse(FIRBANK_INVALID, fault);
  *graph = new firbank_graph{std::make_shared<HostGraph>(calls, count)};
  Module::get().count(&FakeDeviceCounts::graphs_made);
  return FIRBANK_OK;
}

void free_graph(firbank_device* /*device*/, firbank_graph* graph) {
  if (graph == nullptr) return;
  Module::get().count(&FakeDeviceCounts::graphs_freed);
  delete graph;
}

int launch(firbank_device* device, int lane, firbank_graph* graph) {
  const int status = refuse_when_failed();
  return status != FIRBANK_OK ? status : device->launch(lane, *graph);
}

/// Whether all of `memory` lies in memory of one kind.
bool is_all(FakeMemory kind, const void* memory, std::size_t bytes) {
  const auto* const first = static_cast<const std::byte*>(memory);
  return Module::get().memory_at(first) == kind &&
         Module::get().memory_at(first + bytes - 1) == kind;
}

int copy(firbank_device* device, int lane, void* to, const void* from, std::size_t bytes) {
  const int status = refuse_when_failed();
  if (status != FIRBANK_OK) return status;
  const bool goes_in =
      is_all(FakeMemory::kDevice, to, bytes) && is_all(FakeMemory::kPinned, from, bytes);
  const bool goes_out =
      is_all(FakeMemory::kPinned, to, bytes) && is_all(FakeMemory::kDevice, from, bytes);
  if (bytes == 0 || goes_in == goes_out) {
    return refuse(FIRBANK_INVALID, "a copy that is not between pinned and device memory");
  }
  const int taken = device->copy(lane, to, from, bytes);
  if (taken == FIRBANK_OK) Module::get().count_copied(goes_in, bytes);
  return taken;
}

int follow(firbank_device* device, int lane, int ahead) {
  const int status = refuse_when_failed();
  return status != FIRBANK_OK ? status : device->follow(lane, ahead);
}

int status(firbank_device* device) {
  // What failed is seen as done at the same time or later, never as done alone.
  const bool busy = device->busy();
  const int failed = refuse_when_failed();
  if (failed != FIRBANK_OK) return failed;
  return busy ? FIRBANK_BUSY : FIRBANK_OK;
}

}  // namespace

}  // namespace firbank::test

extern "C" __attribute__((visibility("default"))) const firbank_device_api*
firbank_device_plugin() {
  using namespace firbank::test;
  static const firbank_device_api api{
      Module::get().settings().version,
      Module::get().settings().bytes,
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
  return &api;
}

extern "C" __attribute__((visibility("default"))) const firbank::test::FakeDeviceControl*
firbank_fake_device_control() {
  using namespace firbank::test;
  static const FakeDeviceControl control{
      [](const char* settings) { return Module::get().configure(settings); },
      [](FakeDeviceCounts* counts) { *counts = Module::get().counts(); },
      [] { Module::get().reset_counts(); },
      [](FakeDeviceMemory* memory) { *memory = Module::get().memory(); },
      [](const void* address) { return Module::get().memory_at(address); },
      [] { Module::get().release_hang(); },
  };
  return &control;
}
