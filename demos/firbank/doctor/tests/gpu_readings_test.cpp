#include "demos/firbank/doctor/gpu_readings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

void write_device(SystemTree& tree, const std::string& address, const char* speed,
                  const char* width) {
  const std::string folder = "/sys/bus/pci/devices/" + address + "/";
  tree.write(folder + "vendor", "0x10de\n");
  tree.write(folder + "class", "0x030200\n");
  tree.write(folder + "current_link_speed", speed);
  tree.write(folder + "max_link_speed", "32.0 GT/s PCIe\n");
  tree.write(folder + "current_link_width", width);
  tree.write(folder + "max_link_width", "16\n");
}

TEST(Link, IsAbsentWithoutAGpu) {
  SystemTree tree;
  EXPECT_EQ(link_reading(tree.files()).state, ReadingState::kAbsent);
  tree.write("/sys/bus/pci/devices/0000:00:01.0/vendor", "0x8086\n");
  tree.write("/sys/bus/pci/devices/0000:00:01.0/class", "0x030000\n");
  // NVIDIA's sound and network.
  tree.write("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x10de\n");
  tree.write("/sys/bus/pci/devices/0000:00:02.0/class", "0x040300\n");
  EXPECT_EQ(link_reading(tree.files()).state, ReadingState::kAbsent);
}

TEST(Link, CostsWhereLanesAreMissing) {
  SystemTree tree;
  write_device(tree, "0000:01:00.0", "32.0 GT/s PCIe\n", "16\n");
  EXPECT_EQ(link_reading(tree.files()).state, ReadingState::kGood);
  EXPECT_THAT(link_reading(tree.files()).text, HasSubstr("32 of 32 GT/s, 16 of 16 lanes"));
  // One that is idle goes slower.
  write_device(tree, "0000:01:00.0", "2.5 GT/s PCIe\n", "16\n");
  EXPECT_EQ(link_reading(tree.files()).state, ReadingState::kUnknown);
  EXPECT_THAT(link_reading(tree.files()).advice, HasSubstr("idle"));
  write_device(tree, "0000:02:00.0", "32.0 GT/s PCIe\n", "8\n");
  EXPECT_EQ(link_reading(tree.files()).state, ReadingState::kCosts);
  EXPECT_THAT(link_reading(tree.files()).text, HasSubstr("0000:02:00.0"));
}

TEST(Link, IsUnknownWhereItIsNotTold) {
  for (const auto& [speed, width] : {std::pair{"Unknown\n", "16\n"},
                                     {"32.0 GT/s PCIe\n", "63\n"},
                                     {"\n", "16\n"},
                                     {"32.0 GT/s PCIe\n", "0\n"}}) {
    SystemTree tree;
    write_device(tree, "0000:01:00.0", speed, width);
    EXPECT_EQ(link_reading(tree.files()).state, ReadingState::kUnknown) << speed << width;
  }
}

TEST(GpuClocks, AreWhatNvidiaSmiSays) {
  SystemTree tree;
  EXPECT_EQ(gpu_clock_reading(tree.files(), {}).state, ReadingState::kAbsent);
  write_device(tree, "0000:01:00.0", "32.0 GT/s PCIe\n", "16\n");
  EXPECT_EQ(gpu_clock_reading(tree.files(), {}).state, ReadingState::kUnknown);
  const auto reading = [&](const char* said) { return gpu_clock_reading(tree.files(), said); };
  EXPECT_EQ(reading("NVIDIA H200, Enabled, 1980, 1980\n").state, ReadingState::kGood);
  EXPECT_THAT(reading("NVIDIA H200, Enabled, 1980, 1980\n").text, HasSubstr("1980 of 1980 MHz"));
  EXPECT_EQ(reading("NVIDIA H200, Enabled, 345, 1980\n").state, ReadingState::kUnknown);
  EXPECT_EQ(reading("NVIDIA H200, Enabled, [N/A], 1980\n").state, ReadingState::kUnknown);
  const Reading forgets =
      reading("NVIDIA H200, Enabled, 1980, 1980\nNVIDIA T4, Disabled, 300, 1590\n");
  EXPECT_EQ(forgets.state, ReadingState::kCosts);
  EXPECT_THAT(forgets.advice, HasSubstr("nvidia-smi -pm 1"));
  for (const char* garbage : {"", "No devices were found\n", "a, b\n", "a, b, c, d, e\n"}) {
    EXPECT_EQ(reading(garbage).state, ReadingState::kUnknown) << garbage;
  }
}

}  // namespace
}  // namespace firbank::program
