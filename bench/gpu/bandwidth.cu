#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/gpu/cases.hpp"
#include "bench/gpu/ceilings.hpp"
#include "bench/gpu/device.hpp"
#include "bench/gpu/figures.hpp"
#include "bench/gpu/pacer.hpp"

namespace firbank::bench {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kLoads = 8;  // of 16 bytes each, under way in a thread

/// Noise, since memory that is zero can be faster than memory with data.
__global__ void fill_with_noise(uint4* to, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    std::uint64_t x = (i + 1) * 0x9e3779b97f4a7c15U;
    x ^= x >> 29;
    const auto high = static_cast<unsigned>(x >> 32);
    const auto low = static_cast<unsigned>(x);
    to[i] = {low, high, low ^ 0x55555555U, ~high};
  }
}

/// Reads all of it `passes` times. The sum is stored where it decides nothing, so that the reading
/// is not optimised away.
__global__ void read_all(const uint4* from, std::size_t count, unsigned passes, unsigned* sink) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  const std::size_t mine = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  unsigned sum = 0;
  for (unsigned pass = 0; pass < passes; ++pass) {
    for (std::size_t i = mine; i < count; i += kLoads * step) {
      uint4 values[kLoads] = {};
#pragma unroll
      for (unsigned k = 0; k < kLoads; ++k) {
        const std::size_t at = i + k * step;
        if (at < count) values[k] = __ldcg(from + at);
      }
#pragma unroll
      for (unsigned k = 0; k < kLoads; ++k) {
        sum += values[k].x ^ values[k].y ^ values[k].z ^ values[k].w;
      }
    }
  }
  atomicAdd(sink, sum);
}

__global__ void copy_all(uint4* to, const uint4* from, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    to[i] = from[i];
  }
}

unsigned full_grid() {
  int multiprocessors = 0;
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0), "a device");
  return 8 * static_cast<unsigned>(multiprocessors);
}

/// Device times in microseconds, the first few left out.
template <class Work>
std::vector<double> device_times(std::size_t count, const Stream& stream, const Work& work) {
  constexpr std::size_t kWarmUp = 3;
  DeviceTimer timer;
  std::vector<double> times;
  for (std::size_t n = 0; n < count + kWarmUp; ++n) {
    timer.begin(stream);
    work();
    check(cudaGetLastError(), "a launch");
    timer.end(stream);
    const double us = timer.microseconds();
    if (n >= kWarmUp) times.push_back(us);
  }
  std::sort(times.begin(), times.end());
  return times;
}

double median(const std::vector<double>& sorted) {
  return quantile(sorted, 0.5);
}

void tell_rate(const std::string& name, double bytes, const std::vector<double>& times) {
  tell_figure(name, "GB/s", bytes / median(times) * 1e-3);
}

void tell_memory(std::size_t bytes, const Stream& stream) {
  const DeviceArray<uint4> from(bytes / sizeof(uint4));
  const DeviceArray<uint4> to(bytes / sizeof(uint4));
  const DeviceArray<unsigned> sink(1);
  const unsigned grid = full_grid();
  fill_with_noise<<<grid, kThreads, 0, stream.get()>>>(from.get(), from.size());
  check(cudaGetLastError(), "fill_with_noise");
  const auto moved = static_cast<double>(from.bytes());

  tell_rate("copy within device memory, read and written", 2 * moved, device_times(20, stream, [&] {
              check(cudaMemcpyAsync(to.get(), from.get(), from.bytes(), cudaMemcpyDeviceToDevice,
                                    stream.get()),
                    "cudaMemcpyAsync");
            }));
  tell_rate("read of device memory", moved, device_times(20, stream, [&] {
              read_all<<<grid, kThreads, 0, stream.get()>>>(from.get(), from.size(), 1, sink.get());
            }));

  int cache_bytes = 0;
  check(cudaDeviceGetAttribute(&cache_bytes, cudaDevAttrL2CacheSize, 0), "a device");
  const std::size_t cached =
      std::min(static_cast<std::size_t>(cache_bytes) / 4, from.bytes()) / sizeof(uint4);
  constexpr unsigned kPasses = 50;
  if (cached == 0) return;
  tell_rate("read of level-2 cache", static_cast<double>(cached * sizeof(uint4)) * kPasses,
            device_times(20, stream, [&] {
              read_all<<<grid, kThreads, 0, stream.get()>>>(from.get(), cached, kPasses,
                                                            sink.get());
            }));
}

/// Noise, as far as it matters to a bus.
void fill(const PinnedArray<uint4>& array) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    const auto x = static_cast<unsigned>(i) * 2'654'435'761U;
    array[i] = {x, ~x, x ^ x >> 15, x + 1};
  }
}

void tell_bus(std::size_t bytes) {
  const std::size_t count = bytes / sizeof(uint4);
  const PinnedArray<uint4> host_from(count);
  const PinnedArray<uint4> host_to(count);
  const DeviceArray<uint4> device_from(count);
  const DeviceArray<uint4> device_to(count);
  fill(host_from);
  const Stream in;
  const Stream out;
  const auto moved = static_cast<double>(bytes);
  const auto copy_in = [&] {
    check(
        cudaMemcpyAsync(device_to.get(), host_from.get(), bytes, cudaMemcpyHostToDevice, in.get()),
        "cudaMemcpyAsync");
  };
  const auto copy_out = [&] {
    check(
        cudaMemcpyAsync(host_to.get(), device_from.get(), bytes, cudaMemcpyDeviceToHost, out.get()),
        "cudaMemcpyAsync");
  };
  copy_in();
  in.wait();
  check(cudaMemcpy(device_from.get(), device_to.get(), bytes, cudaMemcpyDeviceToDevice),
        "cudaMemcpy");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  tell_rate("host to device", moved, device_times(10, in, copy_in));
  tell_rate("device to host", moved, device_times(10, out, copy_out));

  std::vector<double> both;
  for (int n = 0; n < 10; ++n) {
    const Pacer::Clock::time_point begin = Pacer::Clock::now();
    copy_in();
    copy_out();
    in.wait();
    out.wait();
    both.push_back(microseconds_since(begin));
  }
  std::sort(both.begin(), both.end());
  tell_rate("both ways at once, together", 2 * moved, both);
}

std::string size_text(std::size_t bytes) {
  return std::to_string(bytes >> 10) + " KiB";
}

/// A kernel that reaches over the bus against the copy engine, by payload.
void tell_payloads(const Stream& stream) {
  const unsigned most = full_grid();
  for (const std::size_t bytes :
       {4U << 10, 16U << 10, 64U << 10, 256U << 10, 1'280U << 10, 10'240U << 10}) {
    const std::size_t count = bytes / sizeof(uint4);
    const PinnedArray<uint4> host(count);
    const DeviceArray<uint4> device(count);
    fill(host);
    const auto blocks = static_cast<unsigned>((count + kThreads - 1) / kThreads);
    const unsigned grid = std::min(most, blocks);
    constexpr std::size_t kTimes = 300;
    const auto tell = [&](const std::string& name, std::vector<double> times) {
      tell_samples(size_text(bytes) + " " + name, "us", std::move(times));
    };
    tell("to the device, copy engine", device_times(kTimes, stream, [&] {
           check(cudaMemcpyAsync(device.get(), host.get(), bytes, cudaMemcpyHostToDevice,
                                 stream.get()),
                 "cudaMemcpyAsync");
         }));
    tell("to the device, zero-copy", device_times(kTimes, stream, [&] {
           copy_all<<<grid, kThreads, 0, stream.get()>>>(device.get(), host.get(), count);
         }));
    tell("to the host, copy engine", device_times(kTimes, stream, [&] {
           check(cudaMemcpyAsync(host.get(), device.get(), bytes, cudaMemcpyDeviceToHost,
                                 stream.get()),
                 "cudaMemcpyAsync");
         }));
    tell("to the host, zero-copy", device_times(kTimes, stream, [&] {
           copy_all<<<grid, kThreads, 0, stream.get()>>>(host.get(), device.get(), count);
         }));
  }
}

}  // namespace

void tell_bandwidths(bool quick) {
  const Stream stream;
  std::size_t free_bytes = 0;
  std::size_t all_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &all_bytes), "cudaMemGetInfo");
  const std::size_t wanted = std::size_t{quick ? 64U : 4096U} << 20;
  tell_memory(std::min(wanted, free_bytes / 4), stream);
  tell_bus(std::size_t{quick ? 16U : 256U} << 20);
  tell_payloads(stream);
}

}  // namespace firbank::bench
