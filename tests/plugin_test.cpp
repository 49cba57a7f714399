// The CUDA plug-in as it was built: what the file holds, and that it says what is missing on a
// machine without a GPU. Whether its kernels are right is proved elsewhere.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cuda/device_api.h"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/elf_file.hpp"

namespace firbank {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<char> plugin_file() {
  std::ifstream file(FIRBANK_CUDA_PLUGIN, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The compute capabilities that the build was asked for, such as 90.
std::vector<unsigned> wanted_architectures() {
  std::istringstream list(FIRBANK_CUDA_ARCHITECTURES);
  std::vector<unsigned> wanted;
  for (unsigned one = 0; list >> one;) wanted.push_back(one);
  return wanted;
}

/// Code for GPUs inside a file. nvcc bundles it: a header, then entries of a header of their own
/// and their content.
struct GpuCode {
  std::map<unsigned, std::set<std::string>> kernels;  // by compute capability
  std::set<unsigned> ptx;                             // of compute capabilities
};

GpuCode gpu_code(std::span<const char> file) {
  struct Bundle {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t header_bytes;
    std::uint64_t bytes;
  };
  struct Entry {
    std::uint16_t kind;  // 1: PTX, 2: ELF
    std::uint16_t unused[1];
    std::uint32_t header_bytes;
    std::uint64_t bytes;
    std::uint32_t others[3];
    std::uint32_t architecture;
  };
  constexpr std::uint32_t kMagic = 0xba55ed50U;
  GpuCode code;
  for (std::size_t at = 0; at + sizeof(Bundle) <= file.size(); at += 8) {
    Bundle bundle;
    std::memcpy(&bundle, file.data() + at, sizeof(bundle));
    if (bundle.magic != kMagic || bundle.header_bytes != sizeof(Bundle)) continue;
    std::size_t entry_at = at + bundle.header_bytes;
    const std::size_t end = std::min(file.size(), entry_at + bundle.bytes);
    while (entry_at + sizeof(Entry) <= end) {
      Entry entry;
      std::memcpy(&entry, file.data() + entry_at, sizeof(entry));
      const std::size_t content = entry_at + entry.header_bytes;
      if (content > end || entry.bytes > end - content) break;
      if (entry.kind == 1) code.ptx.insert(entry.architecture);
      if (entry.kind == 2) {
        for (const auto& section : test::elf_sections(file.subspan(content, entry.bytes))) {
          if (section.name.starts_with(".text.") && !section.bytes.empty()) {
            code.kernels[entry.architecture].insert(section.name.substr(6));
          }
        }
      }
      entry_at = content + entry.bytes;
    }
  }
  return code;
}

TEST(Plugin, ExportsItsEntryPointOnly) {
  EXPECT_THAT(test::exported_symbols(plugin_file()), ElementsAre(FIRBANK_DEVICE_API_SYMBOL));
}

TEST(Plugin, IsLinkedToNothingOfCuda) {
  const std::vector<std::string> needed = test::needed_libraries(plugin_file());
  EXPECT_THAT(needed, testing::Contains(HasSubstr("libc.so")));
  EXPECT_THAT(needed, testing::Each(Not(HasSubstr("libcu"))));
  EXPECT_THAT(needed, testing::Each(Not(HasSubstr("nvidia"))));
}

TEST(Plugin, HasEveryKernelForEveryArchitecture) {
  const std::vector<char> file = plugin_file();
  const GpuCode code = gpu_code(file);
  const std::vector<unsigned> wanted = wanted_architectures();
  ASSERT_FALSE(wanted.empty());
  std::set<unsigned> found;
  for (const auto& [architecture, kernels] : code.kernels) {
    SCOPED_TRACE(architecture);
    found.insert(architecture);
    // For float and for double.
    EXPECT_EQ(kernels.size(), 2 * cuda::kKernels) << testing::PrintToString(kernels);
    EXPECT_EQ(kernels, code.kernels.begin()->second);
  }
  EXPECT_EQ(found, std::set<unsigned>(wanted.begin(), wanted.end()));
  EXPECT_THAT(code.ptx, ElementsAre(wanted.back()));
}

TEST(Plugin, SaysInOneLineAndAtOnceWhatIsMissing) {
  const auto begun = std::chrono::steady_clock::now();
  const DevicePlugin plugin = open_device_plugin(FIRBANK_CUDA_PLUGIN);
  ASSERT_NE(plugin.api, nullptr) << plugin.reason;
  int devices = 0;
  const int counted = plugin.api->count(&devices);
  if (counted == FIRBANK_OK && devices > 0) GTEST_SKIP() << "there is a GPU here";
  firbank_device* device = nullptr;
  const int opened = plugin.api->open(0, &device);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  const std::string message = plugin.api->message();

  EXPECT_EQ(opened, counted == FIRBANK_OK ? FIRBANK_NO_DEVICE : FIRBANK_NO_DRIVER) << message;
  EXPECT_EQ(device, nullptr);
  EXPECT_FALSE(message.empty());
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  EXPECT_LT(took.count(), 0.1);
  firbank_device_info info;
  EXPECT_EQ(plugin.api->describe(0, &info), opened);
}

}  // namespace
}  // namespace firbank
