// The fake device itself: that what it says it does to a backend is what it does.
#include "tests/support/fake_device.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/launch_shape.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "kernels/cuda/transform_tables.hpp"

namespace firbank {
namespace {

using cuda::Command;
using cuda::CommandParams;
using cuda::Kernel;
using cuda::Progress;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::FakeDeviceCounts;
using test::FakeMemory;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kCommands = 16;

class FakeDevice : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = FIRBANK_FAKE_DEVICE_DIR "/libfirbank_cuda.so";
    const DevicePlugin plugin = open_device_plugin(path);
    ASSERT_NE(plugin.api, nullptr) << plugin.reason;
    api_ = plugin.api;
    control_ = test::fake_device_control(path);
    ASSERT_NE(control_, nullptr);
    configure("");
    control_->reset_counts();
  }

  void configure(const char* settings) { ASSERT_EQ(control_->configure(settings), nullptr); }

  FakeDeviceCounts counts() const {
    FakeDeviceCounts counts;
    control_->counts(&counts);
    return counts;
  }

  /// Expects `status` to be `wanted`, with a message of one line when it is a failure.
  void expect(int wanted, int status) const {
    EXPECT_EQ(status, wanted) << api_->message();
    EXPECT_THAT(api_->message(), Not(HasSubstr("\n")));
    if (status != FIRBANK_OK) {
      EXPECT_STRNE(api_->message(), "");
    }
  }

  const firbank_device_api* api_ = nullptr;
  const test::FakeDeviceControl* control_ = nullptr;
};

/// A device with a graph of a first and a last kernel, which take commands and tell their numbers.
class FakeDeviceGraph : public FakeDevice {
 protected:
  void SetUp() override {
    FakeDevice::SetUp();
    ASSERT_EQ(api_->open(0, &device_), FIRBANK_OK);
    void* memory = nullptr;
    ASSERT_EQ(api_->allocate_pinned(device_, kCommands * sizeof(Command), &memory), FIRBANK_OK);
    commands_ = static_cast<Command*>(memory);
    ASSERT_EQ(api_->allocate_pinned(device_, sizeof(Progress), &memory), FIRBANK_OK);
    progress_ = static_cast<Progress*>(memory);
    ASSERT_EQ(api_->allocate(device_, sizeof(std::uint64_t), &memory), FIRBANK_OK);
    params_.taken = static_cast<std::uint64_t*>(memory);
    ASSERT_EQ(api_->allocate(device_, sizeof(Command), &memory), FIRBANK_OK);
    params_.current = static_cast<Command*>(memory);
    params_.ring = commands_;
    params_.commands = kCommands;
    params_.levels = 1;
    params_.progress = progress_;
    calls_ = {call(Kernel::kBegin), call(Kernel::kEnd, kAfterFirst)};
    ASSERT_EQ(api_->make_graph(device_, calls_.data(), calls_.size(), &graph_), FIRBANK_OK);
    for (std::uint64_t number = 1; number < kCommands; ++number) {
      commands_[number].number = number;
    }
    control_->reset_counts();
  }

  void TearDown() override {
    if (device_ == nullptr) return;
    api_->free_graph(device_, graph_);
    api_->release(device_, params_.current);
    api_->release(device_, params_.taken);
    api_->release_pinned(device_, progress_);
    api_->release_pinned(device_, commands_);
    api_->close(device_);
    test::FakeDeviceMemory memory{};
    control_->memory(&memory);
    EXPECT_EQ(memory.device_bytes, 0U);
    EXPECT_EQ(memory.pinned_bytes, 0U);
  }

  /// A call that comes after the calls of these numbers, which must outlive it.
  firbank_kernel_call call(Kernel kernel, std::span<const std::uint32_t> after = {}) const {
    return {.kernel = static_cast<std::uint32_t>(kernel),
            .real_bytes = 4,
            .grid = {1, 1, 1},
            .threads = 1,
            .shared_bytes = 0,
            .params_bytes = sizeof(params_),
            .params = &params_,
            .after_count = static_cast<std::uint32_t>(after.size()),
            .after = after.data()};
  }

  /// What has finished when a new graph of `calls_` was launched once, or nothing when that failed.
  std::optional<std::uint64_t> finished_after_one_launch() {
    api_->free_graph(device_, graph_);
    graph_ = nullptr;
    const std::uint64_t zero = 0;
    progress_->finished = 0;
    EXPECT_EQ(api_->upload(device_, params_.taken, &zero, sizeof(zero)), FIRBANK_OK);
    EXPECT_EQ(api_->upload(device_, params_.current, &zero, sizeof(zero)), FIRBANK_OK);
    EXPECT_EQ(api_->make_graph(device_, calls_.data(), calls_.size(), &graph_), FIRBANK_OK);
    EXPECT_EQ(launch(), FIRBANK_OK);
    if (settled() != FIRBANK_OK) return std::nullopt;
    return finished();
  }

  static constexpr std::array<std::uint32_t, 1> kAfterFirst{0};

  int launch() { return api_->launch(device_, FIRBANK_LANE_COMPUTE, graph_); }

  std::uint64_t finished() const {
    return std::atomic_ref(progress_->finished).load(std::memory_order_acquire);
  }

  /// status() once it is no longer busy, or after two seconds.
  int settled() const {
    const auto deadline = steady_clock::now() + std::chrono::seconds(2);
    int status = api_->status(device_);
    while (status == FIRBANK_BUSY && steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(1));
      status = api_->status(device_);
    }
    return status;
  }

  firbank_device* device_ = nullptr;
  Command* commands_ = nullptr;
  Progress* progress_ = nullptr;
  CommandParams params_{};
  std::vector<firbank_kernel_call> calls_;
  firbank_graph* graph_ = nullptr;
};

TEST_F(FakeDevice, HasNoDriverOrAnOldOne) {
  for (const char* settings : {"driver=none", "driver=old"}) {
    SCOPED_TRACE(settings);
    configure(settings);
    int devices = 0;
    expect(FIRBANK_NO_DRIVER, api_->count(&devices));
    firbank_device_info info;
    expect(FIRBANK_NO_DRIVER, api_->describe(0, &info));
    firbank_device* device = nullptr;
    expect(FIRBANK_NO_DRIVER, api_->open(0, &device));
    EXPECT_EQ(device, nullptr);
  }
}

TEST_F(FakeDevice, HasAsManyDevicesAsItIsTold) {
  configure("devices=2,multiprocessors=132");
  int devices = 0;
  expect(FIRBANK_OK, api_->count(&devices));
  EXPECT_EQ(devices, 2);
  firbank_device_info info;
  expect(FIRBANK_OK, api_->describe(1, &info));
  EXPECT_EQ(info.multiprocessors, 132U);
  expect(FIRBANK_NO_DEVICE, api_->describe(2, &info));
  firbank_device* device = nullptr;
  expect(FIRBANK_NO_DEVICE, api_->open(-1, &device));

  configure("devices=0");
  expect(FIRBANK_OK, api_->count(&devices));
  EXPECT_EQ(devices, 0);
  expect(FIRBANK_NO_DEVICE, api_->open(0, &device));
}

TEST_F(FakeDevice, HasNoKernelsForTheDevice) {
  configure("kernels=none");
  firbank_device* device = nullptr;
  expect(FIRBANK_NO_KERNELS, api_->open(0, &device));
}

TEST_F(FakeDevice, RefusesSettingsItDoesNotKnow) {
  for (const char* settings :
       {"hang", "hang=", "hang=x", "devices=-1", "driver=new", "watch=2", "a=1,hang=1"}) {
    SCOPED_TRACE(settings);
    const char* fault = control_->configure(settings);
    ASSERT_NE(fault, nullptr);
    EXPECT_THAT(fault, HasSubstr("setting"));
  }
}

TEST_F(FakeDeviceGraph, GivesZeroedAlignedMemoryOfBothKinds) {
  void* device = nullptr;
  void* pinned = nullptr;
  expect(FIRBANK_OK, api_->allocate(device_, 1000, &device));
  expect(FIRBANK_OK, api_->allocate_pinned(device_, 1000, &pinned));
  for (void* memory : {device, pinned}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 256, 0U);
    EXPECT_THAT(std::vector<char>(static_cast<char*>(memory), static_cast<char*>(memory) + 1000),
                testing::Each(0));
  }
  EXPECT_EQ(control_->memory_at(static_cast<char*>(device) + 999), FakeMemory::kDevice);
  EXPECT_EQ(control_->memory_at(static_cast<char*>(pinned) + 999), FakeMemory::kPinned);
  EXPECT_EQ(control_->memory_at(&device), FakeMemory::kOther);
  api_->release(device_, device);
  api_->release_pinned(device_, pinned);
  EXPECT_EQ(control_->memory_at(device), FakeMemory::kOther);
  expect(FIRBANK_INVALID, api_->allocate(device_, 0, &device));

  EXPECT_EQ(counts().allocations, 1U);
  EXPECT_EQ(counts().frees, 1U);
  EXPECT_EQ(counts().pinned_allocations, 1U);
  EXPECT_EQ(counts().pinned_frees, 1U);
}

TEST_F(FakeDeviceGraph, RunsOutOfMemory) {
  configure("memory=100000,pinned=50000");
  void* memory = nullptr;
  expect(FIRBANK_OUT_OF_MEMORY, api_->allocate(device_, 100001, &memory));
  expect(FIRBANK_OUT_OF_MEMORY, api_->allocate_pinned(device_, 50001, &memory));
  expect(FIRBANK_OK, api_->allocate(device_, 60000, &memory));
  void* more = nullptr;
  expect(FIRBANK_OUT_OF_MEMORY, api_->allocate(device_, 60000, &more));
  EXPECT_THAT(api_->message(), HasSubstr("of 100000 in use"));
  api_->release(device_, memory);
  expect(FIRBANK_OK, api_->allocate(device_, 60000, &more));
  api_->release(device_, more);
}

TEST_F(FakeDeviceGraph, UploadsToDeviceMemoryOnly) {
  const std::uint64_t seven = 7;
  expect(FIRBANK_OK, api_->upload(device_, params_.taken, &seven, sizeof(seven)));
  expect(FIRBANK_OK, launch());
  expect(FIRBANK_OK, settled());
  EXPECT_EQ(finished(), 8U);
  expect(FIRBANK_INVALID, api_->upload(device_, progress_, &seven, sizeof(seven)));
  expect(FIRBANK_INVALID,
         api_->upload(device_, params_.taken, commands_, sizeof(std::uint64_t) + 1));
  EXPECT_EQ(counts().uploads, 1U);
  EXPECT_EQ(counts().waits, 1U);
}

TEST_F(FakeDeviceGraph, RunsKernelsBeforeItReturns) {
  expect(FIRBANK_OK, api_->run(device_, calls_.data(), calls_.size()));
  EXPECT_EQ(finished(), 1U);
  EXPECT_EQ(counts().runs, 1U);
  EXPECT_EQ(counts().waits, 1U);
  EXPECT_EQ(counts().launches, 0U);
}

TEST_F(FakeDeviceGraph, RunsTheKernelsOfTheDevice) {
  constexpr std::uint32_t kBins = 64;
  const cuda::Transform<float> shape = cuda::transform_shape<float>(6);
  const auto twiddles = cuda::transform_twiddles(shape);
  const std::size_t twiddle_bytes = twiddles.size() * sizeof(twiddles[0]);
  void* memory[3] = {};
  expect(FIRBANK_OK, api_->allocate(device_, twiddle_bytes, &memory[0]));
  expect(FIRBANK_OK, api_->upload(device_, memory[0], twiddles.data(), twiddle_bytes));
  expect(FIRBANK_OK, api_->allocate_pinned(device_, kBins * sizeof(float), &memory[1]));
  expect(FIRBANK_OK, api_->allocate_pinned(device_, kBins * 2 * sizeof(float), &memory[2]));

  // The spectrum of an impulse is flat.
  cuda::LoadParams<float> params{};
  params.transform = shape;
  params.transform.twiddles = static_cast<decltype(params.transform.twiddles)>(memory[0]);
  params.count = 1;
  params.hop = kBins;
  params.taps_count = kBins;
  params.taps = static_cast<const float*>(memory[1]);
  params.spectra = static_cast<cuda::Complex<float>*>(memory[2]);
  params.scale = 0.5F;
  static_cast<float*>(memory[1])[0] = 3;
  const cuda::LaunchShape launch = cuda::launch_shape(Kernel::kLoad, params);
  const firbank_kernel_call load{.kernel = static_cast<std::uint32_t>(Kernel::kLoad),
                                 .real_bytes = sizeof(float),
                                 .grid = {launch.grid[0], launch.grid[1], launch.grid[2]},
                                 .threads = launch.threads,
                                 .shared_bytes = launch.shared_bytes,
                                 .params_bytes = sizeof(params),
                                 .params = &params,
                                 .after_count = 0,
                                 .after = nullptr};
  expect(FIRBANK_OK, api_->run(device_, &load, 1));
  for (std::uint32_t bin = 0; bin < kBins; ++bin) {
    EXPECT_NEAR(params.spectra[bin].re, 1.5, 1e-5);
    EXPECT_NEAR(params.spectra[bin].im, 0, 1e-5);
  }
  const FakeDeviceCounts done = counts();
  constexpr int kLoad = static_cast<int>(Kernel::kLoad);
  EXPECT_EQ(done.kernels[kLoad], 1U);
  EXPECT_EQ(done.bytes_stored[kLoad], kBins * 2 * sizeof(float));
  EXPECT_GE(done.bytes_loaded[kLoad], kBins * sizeof(float));
  EXPECT_EQ(all_bytes_loaded(done), done.bytes_loaded[kLoad]);
  api_->release(device_, memory[0]);
  api_->release_pinned(device_, memory[1]);
  api_->release_pinned(device_, memory[2]);
}

TEST_F(FakeDeviceGraph, RefusesCallsThatNoDeviceCouldTake) {
  const auto refused = [&](auto change) {
    firbank_kernel_call wrong = calls_[0];
    change(wrong);
    expect(FIRBANK_INVALID, api_->run(device_, &wrong, 1));
    firbank_graph* graph = nullptr;
    expect(FIRBANK_INVALID, api_->make_graph(device_, &wrong, 1, &graph));
    EXPECT_EQ(graph, nullptr);
  };
  refused([](firbank_kernel_call& call) { call.kernel = cuda::kKernels; });
  refused([](firbank_kernel_call& call) { call.real_bytes = 2; });
  refused([](firbank_kernel_call& call) { call.grid[0] = 0; });
  refused([](firbank_kernel_call& call) { call.grid[1] = 65536; });
  refused([](firbank_kernel_call& call) { call.threads = 1025; });
  refused([](firbank_kernel_call& call) { call.shared_bytes = 1 << 20; });
  refused([](firbank_kernel_call& call) { call.params_bytes -= 1; });
  refused([](firbank_kernel_call& call) { call.params = nullptr; });
  EXPECT_EQ(counts().runs, 0U);
  EXPECT_EQ(counts().graphs_made, 0U);
}

TEST_F(FakeDeviceGraph, RefusesEdgesFromWhatIsNotBeforeInTheList) {
  const auto make = [&](const std::vector<std::uint32_t>& after) {
    const firbank_kernel_call calls[] = {call(Kernel::kBegin), call(Kernel::kEnd, after)};
    firbank_graph* graph = nullptr;
    const int status = api_->make_graph(device_, calls, 2, &graph);
    if (status == FIRBANK_OK) api_->free_graph(device_, graph);
    return status;
  };
  expect(FIRBANK_OK, make({}));
  expect(FIRBANK_OK, make({0}));
  expect(FIRBANK_INVALID, make({1}));
  expect(FIRBANK_INVALID, make({2}));
  expect(FIRBANK_INVALID, make({0, 0}));
  firbank_kernel_call nowhere = call(Kernel::kEnd, kAfterFirst);
  nowhere.after = nullptr;
  const firbank_kernel_call calls[] = {call(Kernel::kBegin), nowhere};
  firbank_graph* graph = nullptr;
  expect(FIRBANK_INVALID, api_->make_graph(device_, calls, 2, &graph));
  EXPECT_EQ(graph, nullptr);
}

TEST_F(FakeDeviceGraph, RunsKernelsInAnyOrderThatTheEdgesAllow) {
  std::set<std::uint64_t> told;
  for (const bool has_edge : {true, false}) {
    calls_[1] = has_edge ? call(Kernel::kEnd, kAfterFirst) : call(Kernel::kEnd);
    told.clear();
    for (int seed = 1; seed <= 20; ++seed) {
      configure(("watch=0,seed=" + std::to_string(seed)).c_str());
      told.insert(finished_after_one_launch().value());
    }
    // The last kernel tells which command the first one has taken, or that it has taken none.
    EXPECT_EQ(told, has_edge ? std::set<std::uint64_t>{1} : (std::set<std::uint64_t>{0, 1}));
  }
}

TEST_F(FakeDeviceGraph, WatchesForKernelsThatMeetInMemory) {
  for (int seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    configure(("seed=" + std::to_string(seed)).c_str());
    calls_ = {call(Kernel::kBegin), call(Kernel::kEnd, kAfterFirst)};
    EXPECT_EQ(finished_after_one_launch(), 1U);
    // Both have read the command when two of the last kernel write the same word.
    calls_ = {call(Kernel::kBegin), call(Kernel::kEnd, kAfterFirst),
              call(Kernel::kEnd, kAfterFirst)};
    EXPECT_EQ(finished_after_one_launch(), std::nullopt);
    configure(("seed=" + std::to_string(seed)).c_str());
    // One reads what the other writes.
    calls_ = {call(Kernel::kBegin), call(Kernel::kEnd)};
    EXPECT_EQ(finished_after_one_launch(), std::nullopt);
    configure("watch=0");
    EXPECT_NE(finished_after_one_launch(), std::nullopt);
  }
}

TEST_F(FakeDeviceGraph, LaunchesInOrderAndDoesNotWait) {
  configure("delay_us=50000");
  const auto begun = steady_clock::now();
  for (int i = 0; i < 5; ++i) expect(FIRBANK_OK, launch());
  EXPECT_EQ(api_->status(device_), FIRBANK_BUSY);
  EXPECT_LT(finished(), 5U);
  std::uint64_t seen = 0;
  while (api_->status(device_) == FIRBANK_BUSY) {
    EXPECT_GE(finished(), seen);
    seen = finished();
  }
  EXPECT_EQ(finished(), 5U);
  EXPECT_GE(steady_clock::now() - begun, milliseconds(250));
}

TEST_F(FakeDeviceGraph, CountsWhatALaunchDoes) {
  for (int i = 0; i < 3; ++i) expect(FIRBANK_OK, launch());
  expect(FIRBANK_OK, settled());
  const FakeDeviceCounts done = counts();
  EXPECT_EQ(done.launches, 3U);
  EXPECT_EQ(done.kernels[static_cast<int>(Kernel::kBegin)], 3U);
  EXPECT_EQ(done.kernels[static_cast<int>(Kernel::kEnd)], 3U);
  EXPECT_EQ(done.parameter_bytes[static_cast<int>(Kernel::kBegin)],
            3 * 2 * (2 * sizeof(std::uint64_t) + sizeof(cuda::LevelCommand)));
  EXPECT_EQ(done.parameter_bytes[static_cast<int>(Kernel::kEnd)], 3 * sizeof(std::uint64_t));
  EXPECT_EQ(all_bytes_loaded(done), 0U);
  EXPECT_EQ(done.allocations + done.pinned_allocations + done.graphs_made + done.waits, 0U);
}

/// A device with a number in pinned memory, and places for it on the device and at home.
class FakeDeviceLanes : public FakeDeviceGraph {
 protected:
  void SetUp() override {
    FakeDeviceGraph::SetUp();
    void* memory = nullptr;
    ASSERT_EQ(api_->allocate_pinned(device_, 2 * sizeof(std::uint64_t), &memory), FIRBANK_OK);
    pinned_ = static_cast<std::uint64_t*>(memory);
    pinned_[0] = 42;
    ASSERT_EQ(api_->allocate(device_, sizeof(std::uint64_t), &there_), FIRBANK_OK);
    control_->reset_counts();
  }
  void TearDown() override {
    api_->release(device_, there_);
    api_->release_pinned(device_, pinned_);
    FakeDeviceGraph::TearDown();
  }

  int send() { return api_->copy(device_, FIRBANK_LANE_IN, there_, pinned_, 8); }
  int bring() { return api_->copy(device_, FIRBANK_LANE_OUT, pinned_ + 1, there_, 8); }
  int follow(int lane, int ahead) { return api_->follow(device_, lane, ahead); }

  std::uint64_t* pinned_ = nullptr;
  void* there_ = nullptr;
};

TEST_F(FakeDeviceLanes, CopiesBothWaysAndCountsThem) {
  expect(FIRBANK_OK, send());
  expect(FIRBANK_OK, follow(FIRBANK_LANE_OUT, FIRBANK_LANE_IN));
  expect(FIRBANK_OK, bring());
  expect(FIRBANK_OK, settled());
  EXPECT_EQ(pinned_[1], 42U);
  EXPECT_EQ(counts().copies, 2U);
  EXPECT_EQ(counts().bytes_copied_in, 8U);
  EXPECT_EQ(counts().bytes_copied_out, 8U);
}

TEST_F(FakeDeviceLanes, GoOnBesideEachOtherUnlessTheyFollow) {
  configure("hang=1");
  expect(FIRBANK_OK, send());  // hangs
  expect(FIRBANK_OK, follow(FIRBANK_LANE_OUT, FIRBANK_LANE_IN));
  expect(FIRBANK_OK, bring());
  expect(FIRBANK_OK, launch());
  const auto deadline = steady_clock::now() + std::chrono::seconds(2);
  while (finished() == 0 && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(finished(), 1U);
  EXPECT_EQ(api_->status(device_), FIRBANK_BUSY);
  control_->release_hang();
  expect(FIRBANK_OK, settled());
  EXPECT_EQ(pinned_[1], 42U);
}

TEST_F(FakeDeviceLanes, FailsACopyAsItFailsALaunch) {
  configure("fail_launch=2");
  expect(FIRBANK_OK, launch());
  expect(FIRBANK_DEVICE_FAILED, send());
  expect(FIRBANK_DEVICE_FAILED, bring());
  expect(FIRBANK_DEVICE_FAILED, follow(FIRBANK_LANE_OUT, FIRBANK_LANE_IN));
}

TEST_F(FakeDeviceLanes, RefusesWhatIsNoLaneAndNoCopyBetweenHostAndDevice) {
  expect(FIRBANK_INVALID, api_->launch(device_, FIRBANK_LANES, graph_));
  expect(FIRBANK_INVALID, follow(-1, FIRBANK_LANE_IN));
  expect(FIRBANK_INVALID, api_->copy(device_, FIRBANK_LANE_IN, pinned_ + 1, pinned_, 8));
  expect(FIRBANK_INVALID, api_->copy(device_, FIRBANK_LANE_IN, there_, pinned_, 0));
  expect(FIRBANK_INVALID, api_->copy(device_, FIRBANK_LANE_IN, there_, pinned_, 9));
  std::uint64_t elsewhere = 0;
  expect(FIRBANK_INVALID, api_->copy(device_, FIRBANK_LANE_IN, there_, &elsewhere, 8));
  EXPECT_EQ(counts().copies, 0U);
}

TEST_F(FakeDeviceGraph, FailsALaunchAndAllThatFollows) {
  configure("fail_launch=3");
  for (int i = 0; i < 2; ++i) expect(FIRBANK_OK, launch());
  expect(FIRBANK_OK, settled());
  expect(FIRBANK_DEVICE_FAILED, launch());
  EXPECT_EQ(finished(), 2U);
  expect(FIRBANK_DEVICE_FAILED, launch());
  expect(FIRBANK_DEVICE_FAILED, api_->status(device_));
  void* memory = nullptr;
  expect(FIRBANK_DEVICE_FAILED, api_->allocate(device_, 8, &memory));
  expect(FIRBANK_DEVICE_FAILED, api_->allocate_pinned(device_, 8, &memory));
  const std::uint64_t zero = 0;
  expect(FIRBANK_DEVICE_FAILED, api_->upload(device_, params_.taken, &zero, sizeof(zero)));
  expect(FIRBANK_DEVICE_FAILED, api_->run(device_, calls_.data(), calls_.size()));
  firbank_graph* graph = nullptr;
  expect(FIRBANK_DEVICE_FAILED, api_->make_graph(device_, calls_.data(), calls_.size(), &graph));
  EXPECT_EQ(counts().launches, 2U);
}

TEST_F(FakeDeviceGraph, FailsWhileItWorks) {
  configure("fail_work=2");
  for (int i = 0; i < 2; ++i) {
    expect(FIRBANK_OK, launch());
    if (i == 0) expect(FIRBANK_OK, settled());
  }
  expect(FIRBANK_DEVICE_FAILED, settled());
  EXPECT_EQ(finished(), 1U);
  expect(FIRBANK_DEVICE_FAILED, launch());
}

TEST_F(FakeDeviceGraph, HangsUntilItIsReleased) {
  configure("hang=2");
  for (int i = 0; i < 3; ++i) expect(FIRBANK_OK, launch());
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(api_->status(device_), FIRBANK_BUSY);
  EXPECT_EQ(finished(), 1U);
  // Set-up goes on meanwhile.
  const std::uint64_t four = 4;
  void* memory = nullptr;
  expect(FIRBANK_OK, api_->allocate(device_, sizeof(four), &memory));
  expect(FIRBANK_OK, api_->upload(device_, memory, &four, sizeof(four)));
  api_->release(device_, memory);
  control_->release_hang();
  expect(FIRBANK_OK, settled());
  EXPECT_EQ(finished(), 3U);
}

TEST_F(FakeDeviceGraph, ClosesThoughItHangs) {
  configure("hang=1");
  expect(FIRBANK_OK, launch());
  expect(FIRBANK_OK, launch());
  const auto begun = steady_clock::now();
  TearDown();
  device_ = nullptr;
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(counts().kernels[0], 0U);
  EXPECT_EQ(counts().waits, 1U);
}

// What waits for a device gives up in the end, and gives back what the device may still touch.
TEST_F(FakeDeviceGraph, LeavesMemoryAloneOnceItIsGivenBack) {
  for (const char* settings : {"delay_us=100000", "delay_us=100000,fail_launch=2", "hang=1"}) {
    SCOPED_TRACE(settings);
    if (device_ == nullptr) SetUp();
    configure(settings);
    expect(FIRBANK_OK, launch());
    std::this_thread::sleep_for(milliseconds(10));  // the launch has begun
    static_cast<void>(launch());
    api_->free_graph(device_, graph_);
    api_->release(device_, params_.current);
    api_->release(device_, params_.taken);
    api_->release_pinned(device_, commands_);
    api_->release_pinned(device_, progress_);
    // Of the same size, so that it gets the place of what was released last.
    std::vector<unsigned char> other(sizeof(Progress), 0xa5);
    control_->release_hang();
    api_->close(device_);
    device_ = nullptr;
    EXPECT_THAT(other, testing::Each(0xa5));
    test::FakeDeviceMemory memory{};
    control_->memory(&memory);
    EXPECT_EQ(memory.device_bytes + memory.pinned_bytes, 0U);
  }
}

// A busy machine makes any device late: nobody has to ask for it.
TEST_F(FakeDeviceGraph, LeavesMemoryAloneWhereItIsLateUnasked) {
  configure("hang=1");
  expect(FIRBANK_OK, launch());
  std::this_thread::sleep_for(milliseconds(10));  // the launch has begun
  configure("");
  std::this_thread::sleep_for(milliseconds(400));
  EXPECT_EQ(api_->status(device_), FIRBANK_BUSY);
  api_->free_graph(device_, graph_);
  api_->release(device_, params_.current);
  api_->release(device_, params_.taken);
  api_->release_pinned(device_, commands_);
  api_->release_pinned(device_, progress_);
  std::vector<unsigned char> other(sizeof(Progress), 0xa5);
  control_->release_hang();
  expect(FIRBANK_OK, settled());
  EXPECT_THAT(other, testing::Each(0xa5));
  api_->close(device_);
  device_ = nullptr;
}

/// Gives a device and its memory back when static objects go: after all that came later than
/// main().
struct LateUser {
  const firbank_device_api* api = nullptr;
  firbank_device* device = nullptr;
  void* memory = nullptr;

  ~LateUser() {
    if (api == nullptr) return;
    api->release(device, memory);
    void* refused = nullptr;
    if (api->allocate(device, 0, &refused) != FIRBANK_INVALID) std::abort();
    if (std::strstr(api->message(), "0 bytes") == nullptr) std::abort();
    api->close(device);
  }
};
LateUser late_user;

TEST_F(FakeDevice, ServesStaticObjectsToTheEnd) {
  EXPECT_EXIT(
      {
        if (api_->open(0, &late_user.device) != FIRBANK_OK) std::abort();
        if (api_->allocate(late_user.device, 100, &late_user.memory) != FIRBANK_OK) std::abort();
        late_user.api = api_;
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(FakeDeviceGraph, GraphsKeepTheirParameters) {
  params_.commands = 1;
  calls_.clear();
  expect(FIRBANK_OK, launch());
  expect(FIRBANK_OK, settled());
  EXPECT_EQ(finished(), 1U);
}

}  // namespace
}  // namespace firbank
