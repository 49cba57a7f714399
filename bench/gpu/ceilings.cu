// What a device can do at all, to hold measurements against.
//
//   gpu_ceilings [--quick] [--seconds N]
#include <cstdio>
#include <exception>
#include <string>

#include "bench/gpu/ceilings.hpp"
#include "bench/gpu/device.hpp"
#include "bench/gpu/figures.hpp"

int main(int count, char** arguments) {
  using namespace firbank::bench;
  try {
    bool quick = false;
    double seconds = 5;
    for (int i = 1; i < count; ++i) {
      const std::string word = arguments[i];
      if (word == "--quick") {
        quick = true;
      } else if (word == "--seconds" && i + 1 < count) {
        seconds = std::stod(arguments[++i]);
      } else {
        throw std::runtime_error("there is no option '" + word + "'");
      }
    }
    // Before the device is first used. The host spins for its answers, as the engine does.
    check(cudaSetDeviceFlags(cudaDeviceScheduleSpin | cudaDeviceMapHost), "cudaSetDeviceFlags");
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    tell_text("device", properties.name);
    tell_figure("multiprocessors", "", properties.multiProcessorCount);
    tell_figure("level-2 cache", "B", properties.l2CacheSize);
    tell_figure("device memory", "B", static_cast<double>(properties.totalGlobalMem));
    tell_bandwidths(quick);
    tell_round_trips(seconds);
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "gpu_ceilings: %s\n", failure.what());
    return 1;
  }
}
