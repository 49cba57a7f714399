// DeviceFixture: a test with the fake device in the place of a GPU, which is well at its beginning
// and at its end. For tests that FIRBANK_PLUGIN_DIR leads to it. FIRBANK_TEST_ORDERS=N draws the
// orders of threads and kernels with seed N, where a test does not choose its own.
//
// Thread: the test's.
#pragma once

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/fake_device.hpp"

namespace firbank::test {

class DeviceFixture : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(control_, nullptr) << "no fake device in " << FIRBANK_FAKE_DEVICE_DIR;
    ASSERT_NE(device_plugin().api, nullptr) << device_plugin().reason;
    configure("");
  }
  void TearDown() override { configure(""); }

  /// See fake_device.hpp for the settings. Not while anything lives that has seen the device fail:
  /// it gives memory back that a device which is well again may still use.
  void configure(const std::string& settings) {
    const char* const orders = std::getenv("FIRBANK_TEST_ORDERS");
    const std::string seed = orders == nullptr ? "" : "seed=" + std::string(orders) + ",";
    const char* wrong = control_->configure((seed + settings).c_str());
    ASSERT_EQ(wrong, nullptr) << wrong;
  }
  FakeDeviceCounts counts() const {
    FakeDeviceCounts counts{};
    control_->counts(&counts);
    return counts;
  }
  /// Waits until what was launched is counted.
  void settle() {
    Patience patience;
    while (counts().unfinished > 0 && patience.wait()) {
    }
  }

  const FakeDeviceControl* control_ =
      fake_device_control(std::string(FIRBANK_FAKE_DEVICE_DIR) + "/libfirbank_cuda.so");
};

/// At whose end a device has all its memory back.
class TidyDeviceFixture : public DeviceFixture {
 protected:
  void TearDown() override {
    DeviceFixture::TearDown();
    FakeDeviceMemory memory{};
    control_->memory(&memory);
    EXPECT_EQ(memory.device_bytes, 0u) << "device memory was not given back";
    EXPECT_EQ(memory.pinned_bytes, 0u) << "pinned memory was not given back";
  }
};

}  // namespace firbank::test
