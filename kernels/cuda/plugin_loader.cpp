#include "kernels/cuda/plugin_loader.hpp"

#include <exception>
#include <filesystem>
#include <memory>
#include <system_error>

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

namespace firbank {

namespace {

constexpr const char* kFileName = "libfirbank_cuda.so";

const char kSomethingOfOurs = 0;  // lies in the file that holds this code

struct CloseModule {
  void operator()(void* module) const { dlclose(module); }
};
using Module = std::unique_ptr<void, CloseModule>;

/// The folder of the file that holds this code: libfirbank, or a program it is linked into.
std::filesystem::path own_folder() {
  Dl_info info{};
  void* map = nullptr;
  const bool found = dladdr1(&kSomethingOfOurs, &info, &map, RTLD_DL_LINKMAP) != 0;
  // The program itself has no name there, and the one in `info` may be relative to a former folder.
  const auto* link = static_cast<const link_map*>(map);
  if (found && link != nullptr && link->l_name != nullptr && link->l_name[0] != '\0') {
    return std::filesystem::path(link->l_name).parent_path();
  }
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

DevicePlugin open_or_throw(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return {nullptr, "there is no plug-in " + path};
  Module module(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!module) {
    const char* why = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps it per thread
    return {nullptr, std::string("cannot open the plug-in: ") + (why != nullptr ? why : path)};
  }
  const auto entry =
      reinterpret_cast<firbank_device_api_entry>(dlsym(module.get(), FIRBANK_DEVICE_API_SYMBOL));
  const firbank_device_api* api = entry != nullptr ? entry() : nullptr;
  if (api == nullptr) return {nullptr, path + " is no plug-in of firbank"};
  if (api->version != FIRBANK_DEVICE_API_VERSION) {
    return {nullptr, path + " has version " + std::to_string(api->version) +
                         " of the interface to plug-ins; this library has version " +
                         std::to_string(FIRBANK_DEVICE_API_VERSION)};
  }
  if (api->bytes != sizeof(firbank_device_api)) {
    return {nullptr, path + " has " + std::to_string(api->bytes) +
                         " bytes of interface to plug-ins; this library has " +
                         std::to_string(sizeof(firbank_device_api))};
  }
  // Open for as long as the process lives: threads and devices of it may be.
  static_cast<void>(module.release());
  return {api, {}};
}

}  // namespace

std::string device_plugin_path() {
  const char* folder = secure_getenv("FIRBANK_PLUGIN_DIR");
  if (folder != nullptr && folder[0] != '\0') {
    return (std::filesystem::path(folder) / kFileName).string();
  }
  return (own_folder() / kFileName).string();
}

DevicePlugin open_device_plugin(const std::string& path) noexcept {
  try {
    return open_or_throw(path);
  } catch (const std::exception&) {
    return {};  // no memory, not even for a reason
  }
}

const DevicePlugin& device_plugin() noexcept {
  static const DevicePlugin plugin = []() noexcept -> DevicePlugin {
    try {
      return open_or_throw(device_plugin_path());
    } catch (const std::exception&) {
      return {};
    }
  }();
  return plugin;
}

}  // namespace firbank
