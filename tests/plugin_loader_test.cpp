#include "kernels/cuda/plugin_loader.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernels/cuda/device_api.h"

namespace firbank {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const fs::path kFakeDevice = fs::path(FIRBANK_FAKE_DEVICE_DIR) / "libfirbank_cuda.so";

/// A folder of the test's own, gone at its end.
class PluginLoader : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("plugin_loader_test." + std::to_string(getpid()));
    fs::create_directory(folder_);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    unsetenv("FIRBANK_FAKE_DEVICE");
    unsetenv("FIRBANK_PLUGIN_DIR");
  }

  /// Expects that `path` gives no plug-in, for a reason in one line.
  std::string refused(const fs::path& path) {
    const DevicePlugin plugin = open_device_plugin(path.string());
    EXPECT_EQ(plugin.api, nullptr);
    EXPECT_FALSE(plugin.reason.empty());
    EXPECT_THAT(plugin.reason, Not(HasSubstr("\n")));
    return plugin.reason;
  }

  fs::path folder_;
};

TEST_F(PluginLoader, OpensAPlugin) {
  const DevicePlugin plugin = open_device_plugin(kFakeDevice.string());
  ASSERT_NE(plugin.api, nullptr) << plugin.reason;
  EXPECT_EQ(plugin.reason, "");
  int devices = 0;
  EXPECT_EQ(plugin.api->count(&devices), FIRBANK_OK);
  EXPECT_EQ(devices, 1);
}

TEST_F(PluginLoader, NamesTheFileThatIsMissing) {
  const fs::path path = folder_ / "libfirbank_cuda.so";
  EXPECT_EQ(refused(path), "there is no plug-in " + path.string());
}

TEST_F(PluginLoader, SaysWhyAFileCannotBeOpened) {
  const fs::path path = folder_ / "text.so";
  std::ofstream(path) << "no module at all\n";
  const std::string reason = refused(path);
  EXPECT_THAT(reason, HasSubstr("cannot open the plug-in"));
  EXPECT_THAT(reason, HasSubstr(path.string()));
}

TEST_F(PluginLoader, RefusesAModuleThatIsNoPlugin) {
  Dl_info info{};
  ASSERT_NE(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &info), 0);
  EXPECT_EQ(refused(info.dli_fname), std::string(info.dli_fname) + " is no plug-in of firbank");
}

TEST_F(PluginLoader, NamesBothVersionsOfTheInterface) {
  // A copy of a name of its own is a module of its own, which reads its settings itself.
  const fs::path path = folder_ / "version.so";
  fs::copy_file(kFakeDevice, path);
  setenv("FIRBANK_FAKE_DEVICE", "version=77", 1);
  const std::string reason = refused(path);
  EXPECT_THAT(reason, HasSubstr(path.string() + " has version 77 "));
  EXPECT_THAT(reason,
              HasSubstr("this library has version " + std::to_string(FIRBANK_DEVICE_API_VERSION)));
}

TEST_F(PluginLoader, RefusesAnInterfaceOfAnotherSize) {
  const fs::path path = folder_ / "bytes.so";
  fs::copy_file(kFakeDevice, path);
  setenv("FIRBANK_FAKE_DEVICE", "bytes=8", 1);
  const std::string reason = refused(path);
  EXPECT_THAT(reason, HasSubstr(" has 8 bytes "));
  EXPECT_THAT(reason, HasSubstr(std::to_string(sizeof(firbank_device_api))));
}

TEST_F(PluginLoader, LooksBesideTheLibraryUnlessToldOtherwise) {
  const fs::path beside = fs::path(FIRBANK_LIBRARY_DIR) / "libfirbank_cuda.so";
  EXPECT_EQ(fs::weakly_canonical(device_plugin_path()), fs::weakly_canonical(beside));
  setenv("FIRBANK_PLUGIN_DIR", "", 1);
  EXPECT_EQ(fs::weakly_canonical(device_plugin_path()), fs::weakly_canonical(beside));
  setenv("FIRBANK_PLUGIN_DIR", "/elsewhere", 1);
  EXPECT_EQ(device_plugin_path(), "/elsewhere/libfirbank_cuda.so");
}

TEST_F(PluginLoader, OpensOnceForAllThreads) {
  setenv("FIRBANK_PLUGIN_DIR", FIRBANK_FAKE_DEVICE_DIR, 1);
  std::vector<const DevicePlugin*> seen(8);
  std::vector<std::thread> threads;
  for (const DevicePlugin*& one : seen) threads.emplace_back([&one] { one = &device_plugin(); });
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(seen, testing::Each(&device_plugin()));
  EXPECT_NE(device_plugin().api, nullptr) << device_plugin().reason;
  setenv("FIRBANK_PLUGIN_DIR", folder_.c_str(), 1);
  EXPECT_NE(device_plugin().api, nullptr);
}

}  // namespace
}  // namespace firbank
