// The plug-in that drives GPUs, opened at run time: it holds the compiled kernels and the CUDA
// run-time library, so that libfirbank itself depends on neither.
//
// It is libfirbank_cuda.so in the folder that the environment's FIRBANK_PLUGIN_DIR names; without
// that, in the folder of libfirbank, or of the program when the library was linked in statically.
// A plug-in once opened stays open.
//
// Thread: any.
#pragma once

#include <string>

#include "kernels/cuda/device_api.h"

namespace firbank {

struct DevicePlugin {
  const firbank_device_api* api = nullptr;
  std::string reason;  // in one line, why there is no api
};

/// Where the plug-in is looked for, now.
std::string device_plugin_path();

/// Opens the plug-in in file `path`, and checks that it speaks this library's version of the
/// interface.
DevicePlugin open_device_plugin(const std::string& path) noexcept;

/// The plug-in at device_plugin_path(), looked for at the first call and never again.
const DevicePlugin& device_plugin() noexcept;

}  // namespace firbank
