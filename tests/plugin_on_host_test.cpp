// The plug-in's own code, device.cu and plugin.cu, behind its interface and on a run-time library
// of the host (host_runtime/): what it takes and refuses, and how a device is lost.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/engine_runner.hpp"

namespace firbank {
namespace {

using cuda::DeliverParams;
using cuda::Kernel;
using cuda::Progress;
using testing::HasSubstr;

bool launches_fail() {
  const char* text = std::getenv("FIRBANK_HOST_RUNTIME");
  return text != nullptr && std::string_view(text) == "fail=2";
}

class PluginOnHostTest : public testing::Test {
 protected:
  void SetUp() override {
    const DevicePlugin plugin = open_device_plugin(FIRBANK_HOST_PLUGIN);
    ASSERT_NE(plugin.api, nullptr) << plugin.reason;
    api_ = plugin.api;
    ASSERT_EQ(api_->open(0, &device_), FIRBANK_OK) << api_->message();
  }
  void TearDown() override {
    if (device_ != nullptr) api_->close(device_);
  }

  template <class T>
  T* allocated(int (*allocate)(firbank_device*, std::size_t, void**)) {
    void* memory = nullptr;
    EXPECT_EQ(allocate(device_, sizeof(T), &memory), FIRBANK_OK) << api_->message();
    return static_cast<T*>(memory);
  }

  /// A graph that counts its launches in `progress`.
  firbank_graph* counting_graph(std::uint64_t* count, Progress* progress) {
    const DeliverParams params{.count = count, .progress = progress};
    firbank_kernel_call call = call_of(params);
    firbank_graph* graph = nullptr;
    EXPECT_EQ(api_->make_graph(device_, &call, 1, &graph), FIRBANK_OK) << api_->message();
    return graph;
  }

  static firbank_kernel_call call_of(const DeliverParams& params) {
    return {.kernel = static_cast<std::uint32_t>(Kernel::kDeliver),
            .real_bytes = sizeof(float),
            .grid = {1, 1, 1},
            .threads = 1,
            .shared_bytes = 0,
            .params_bytes = sizeof(params),
            .params = &params,
            .after_count = 0,
            .after = nullptr};
  }

  static std::uint64_t delivered(Progress* progress) {
    return std::atomic_ref(progress->delivered).load(std::memory_order_acquire);
  }

  /// What it says when no lane is busy any more.
  int status_at_the_end() {
    test::Patience patience;
    int status = api_->status(device_);
    while (status == FIRBANK_BUSY && patience.wait()) status = api_->status(device_);
    return status;
  }

  const firbank_device_api* api_ = nullptr;
  firbank_device* device_ = nullptr;
};

TEST_F(PluginOnHostTest, DescribesTheDevice) {
  firbank_device_info info{};
  ASSERT_EQ(api_->describe(0, &info), FIRBANK_OK);
  EXPECT_STREQ(info.name, "the host");
  EXPECT_EQ(info.compute_capability, 90U);
  EXPECT_EQ(api_->describe(1, &info), FIRBANK_NO_DEVICE);
  EXPECT_THAT(api_->message(), HasSubstr("there is no CUDA device 1"));
}

TEST_F(PluginOnHostTest, KeepsTheParametersOfAGraphAndLaunchesItAgain) {
  if (launches_fail()) GTEST_SKIP() << "launches fail here";
  auto* const count = allocated<std::uint64_t>(api_->allocate);
  auto* const progress = allocated<Progress>(api_->allocate_pinned);
  firbank_graph* const graph = counting_graph(count, progress);
  for (int n = 0; n < 3; ++n) {
    ASSERT_EQ(api_->launch(device_, FIRBANK_LANE_OUT, graph), FIRBANK_OK) << api_->message();
  }
  EXPECT_EQ(status_at_the_end(), FIRBANK_OK);
  EXPECT_EQ(delivered(progress), 3U);
  api_->free_graph(device_, graph);
  api_->release(device_, count);
  api_->release_pinned(device_, progress);
}

TEST_F(PluginOnHostTest, ALaneFollowsAnother) {
  if (launches_fail()) GTEST_SKIP() << "launches fail here";
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  const std::vector<unsigned char> values(kBytes, 7);
  void* there = nullptr;
  void* home = nullptr;
  ASSERT_EQ(api_->allocate(device_, kBytes, &there), FIRBANK_OK);
  ASSERT_EQ(api_->allocate_pinned(device_, 2 * kBytes, &home), FIRBANK_OK);
  auto* const first = static_cast<unsigned char*>(home);
  std::memcpy(first, values.data(), kBytes);
  // What is wanted comes last, so that who does not wait finds something else.
  for (int n = 0; n < 4; ++n) {
    ASSERT_EQ(api_->copy(device_, FIRBANK_LANE_IN, there, first + kBytes, kBytes), FIRBANK_OK);
  }
  ASSERT_EQ(api_->copy(device_, FIRBANK_LANE_IN, there, first, kBytes), FIRBANK_OK);
  ASSERT_EQ(api_->follow(device_, FIRBANK_LANE_COMPUTE, FIRBANK_LANE_IN), FIRBANK_OK);
  ASSERT_EQ(api_->follow(device_, FIRBANK_LANE_OUT, FIRBANK_LANE_COMPUTE), FIRBANK_OK);
  ASSERT_EQ(api_->copy(device_, FIRBANK_LANE_OUT, first + kBytes, there, kBytes), FIRBANK_OK);
  EXPECT_EQ(status_at_the_end(), FIRBANK_OK);
  EXPECT_EQ(std::memcmp(first + kBytes, values.data(), kBytes), 0);
  api_->release(device_, there);
  api_->release_pinned(device_, home);
}

TEST_F(PluginOnHostTest, MemoryIsZeroAndWhatIsUploadedIsThere) {
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  std::vector<unsigned char> values(kBytes / 2, 3);
  void* there = nullptr;
  void* home = nullptr;
  ASSERT_EQ(api_->allocate(device_, kBytes, &there), FIRBANK_OK);
  ASSERT_EQ(api_->allocate_pinned(device_, kBytes, &home), FIRBANK_OK);
  ASSERT_EQ(api_->upload(device_, there, values.data(), values.size()), FIRBANK_OK);
  values.assign(kBytes / 2, 0);  // it has been taken
  ASSERT_EQ(api_->copy(device_, FIRBANK_LANE_OUT, home, there, kBytes), FIRBANK_OK);
  EXPECT_EQ(status_at_the_end(), FIRBANK_OK);
  std::vector<unsigned char> wanted(kBytes / 2, 3);
  wanted.resize(kBytes, 0);
  EXPECT_EQ(std::memcmp(home, wanted.data(), kBytes), 0);
  api_->release(device_, there);
  api_->release_pinned(device_, home);
}

TEST_F(PluginOnHostTest, AFaultOfTheCallerCostsNothingElse) {
  void* memory = nullptr;
  EXPECT_EQ(api_->allocate(device_, 0, &memory), FIRBANK_INVALID);
  EXPECT_THAT(api_->message(), HasSubstr("0 bytes were asked for"));
  EXPECT_EQ(api_->copy(device_, FIRBANK_LANES, &memory, &memory, 1), FIRBANK_INVALID);
  EXPECT_THAT(api_->message(), HasSubstr("there is no lane 3"));
  const DeliverParams params{};
  firbank_kernel_call call = call_of(params);
  call.threads = 100'000;
  EXPECT_EQ(api_->run(device_, &call, 1), FIRBANK_INVALID);
  EXPECT_EQ(api_->allocate(device_, std::size_t{1} << 60, &memory), FIRBANK_OUT_OF_MEMORY);
  ASSERT_EQ(api_->allocate(device_, 1, &memory), FIRBANK_OK) << api_->message();
  api_->release(device_, memory);
}

TEST_F(PluginOnHostTest, ALaunchThatFailsLosesTheDevice) {
  if (!launches_fail()) GTEST_SKIP() << "no launch fails here: FIRBANK_HOST_RUNTIME=fail=2";
  auto* const count = allocated<std::uint64_t>(api_->allocate);
  auto* const progress = allocated<Progress>(api_->allocate_pinned);
  firbank_graph* const graph = counting_graph(count, progress);
  ASSERT_EQ(api_->launch(device_, FIRBANK_LANE_COMPUTE, graph), FIRBANK_OK);
  ASSERT_EQ(status_at_the_end(), FIRBANK_OK);
  ASSERT_EQ(api_->launch(device_, FIRBANK_LANE_COMPUTE, graph), FIRBANK_OK);
  EXPECT_EQ(status_at_the_end(), FIRBANK_DEVICE_FAILED);
  EXPECT_EQ(delivered(progress), 1U);
  void* memory = nullptr;
  EXPECT_EQ(api_->allocate(device_, 1, &memory), FIRBANK_DEVICE_FAILED);
  EXPECT_THAT(api_->message(), HasSubstr("has failed before"));
  // Nothing waits for it, and what it might still reach stays.
  api_->release(device_, count);
  api_->release_pinned(device_, progress);
  EXPECT_EQ(progress->delivered, 1U);
  api_->free_graph(device_, graph);
}

}  // namespace
}  // namespace firbank
