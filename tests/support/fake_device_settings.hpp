// The settings of the fake device, read from one line of text; fake_device.hpp lists them.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kernels/cuda/device_api.h"

namespace firbank::test {

enum class FakeDriver { kOk, kNone, kOld };

struct FakeDeviceSettings {
  int devices = 1;
  FakeDriver driver = FakeDriver::kOk;
  bool kernels = true;
  std::uint32_t version = FIRBANK_DEVICE_API_VERSION;
  std::uint32_t bytes = sizeof(firbank_device_api);
  std::uint32_t multiprocessors = 8;
  std::uint64_t memory_bytes = std::uint64_t{1} << 34;
  std::uint64_t pinned_bytes = std::uint64_t{1} << 34;
  std::uint64_t fail_launch = 0;
  std::uint64_t fail_work = 0;
  std::uint64_t delay_us = 0;
  std::uint64_t hang = 0;
  std::uint64_t seed = 1;
  std::uint64_t watch = 1;
};

/// Sets `settings` to what `text` says, and what it does not say to its default. Returns an empty
/// text, or what is wrong; then `settings` is unchanged.
std::string read_fake_device_settings(std::string_view text, FakeDeviceSettings& settings);

}  // namespace firbank::test
