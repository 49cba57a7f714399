// What a competent user gets from cuFFT: uniform partitions of a block, overlap-save, batched
// transforms, one multiply kernel, copies by the copy engine, the host waiting on the stream. On
// the same cases, with the same samples and taps, and paced like gpu_paced.
//
//   gpu_cufft_peer CASE [--seconds N] [--quick]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <cufft.h>

#include "bench/gpu/cases.hpp"
#include "bench/gpu/device.hpp"
#include "bench/gpu/figures.hpp"
#include "bench/gpu/oracle.hpp"
#include "bench/gpu/pacer.hpp"

namespace firbank::bench {
namespace {

constexpr unsigned kThreads = 128;

void check_fft(cufftResult result, const char* what) {
  if (result == CUFFT_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": cuFFT error " + std::to_string(result));
}

unsigned blocks_for(std::size_t items) {
  return static_cast<unsigned>((items + kThreads - 1) / kThreads);
}

__device__ std::size_t my_item() {
  return std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
}

/// [row][2 B]: the older half makes room for the newest block.
__global__ void shift_in(float* windows, const float* fresh, std::size_t rows, unsigned block) {
  const std::size_t item = my_item();
  if (item >= rows * block) return;
  const std::size_t row = item / block;
  const std::size_t n = item % block;
  float* window = windows + row * 2 * block;
  window[n] = window[block + n];
  window[block + n] = fresh[item];
}

/// [partition][2 B] from taps: each partition, and zeros behind it.
__global__ void pad_taps(float* padded, const float* taps, std::size_t count,
                         std::size_t partitions, unsigned block, float scale) {
  const std::size_t item = my_item();
  if (item >= partitions * 2 * block) return;
  const std::size_t n = item % (2 * block);
  const std::size_t tap = item / (2 * block) * block + n;
  padded[item] = n < block && tap < count ? taps[tap] * scale : 0.0F;
}

struct Shape {
  unsigned inputs;
  unsigned outputs;
  unsigned terms;
  unsigned partitions;
  unsigned bins;
  unsigned splits;
  unsigned one_input;  // every output hears input 0
};

/// sums[split][output][bin] over the split's share of terms and partitions. responses lie as
/// [output][term][partition][bin], delay lines as [input][slot][bin].
__global__ void multiply(float2* sums, const float2* responses, const float2* delay_lines,
                         Shape shape, unsigned newest) {
  const unsigned bin = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned output = blockIdx.y;
  if (bin >= shape.bins) return;
  const unsigned steps = shape.terms * shape.partitions;
  const unsigned first = static_cast<unsigned>(std::uint64_t{steps} * blockIdx.z / shape.splits);
  const unsigned last =
      static_cast<unsigned>(std::uint64_t{steps} * (blockIdx.z + 1) / shape.splits);
  float2 sum{0, 0};
#pragma unroll 4
  for (unsigned step = first; step < last; ++step) {
    const unsigned term = step / shape.partitions;
    const unsigned partition = step % shape.partitions;
    const unsigned input = shape.terms > 1 ? term : shape.one_input != 0 ? 0 : output;
    unsigned slot = newest + partition;
    if (slot >= shape.partitions) slot -= shape.partitions;
    const float2 h = responses[(std::size_t{output} * steps + step) * shape.bins + bin];
    const float2 x = delay_lines[(std::size_t{input} * shape.partitions + slot) * shape.bins + bin];
    sum.x += h.x * x.x - h.y * x.y;
    sum.y += h.x * x.y + h.y * x.x;
  }
  sums[(std::size_t{blockIdx.z} * shape.outputs + output) * shape.bins + bin] = sum;
}

__global__ void add_splits(float2* sums, unsigned splits, std::size_t values) {
  const std::size_t item = my_item();
  if (item >= values) return;
  float2 sum = sums[item];
  for (unsigned split = 1; split < splits; ++split) {
    const float2 more = sums[split * values + item];
    sum.x += more.x;
    sum.y += more.y;
  }
  sums[item] = sum;
}

class FftPlan {
 public:
  FftPlan(std::size_t size, std::size_t out_distance, cufftType type, std::size_t batch,
          const Stream& stream) {
    int length = static_cast<int>(size);
    // Spectra of the delay lines lie a ring apart.
    int in_embed = type == CUFFT_R2C ? length : length / 2 + 1;
    int out_embed = type == CUFFT_R2C ? static_cast<int>(out_distance) : length;
    const int in_distance = in_embed;
    check_fft(cufftPlanMany(&plan_, 1, &length, &in_embed, 1, in_distance, &out_embed, 1,
                            static_cast<int>(out_distance), type, static_cast<int>(batch)),
              "cufftPlanMany");
    check_fft(cufftSetStream(plan_, stream.get()), "cufftSetStream");
  }
  ~FftPlan() { cufftDestroy(plan_); }
  FftPlan(const FftPlan&) = delete;
  FftPlan& operator=(const FftPlan&) = delete;

  cufftHandle get() const { return plan_; }

 private:
  cufftHandle plan_ = 0;
};

Shape shape_of(const Case& which) {
  Shape shape{};
  shape.inputs = static_cast<unsigned>(which.inputs);
  shape.outputs = static_cast<unsigned>(which.outputs);
  shape.terms = static_cast<unsigned>(which.terms());
  shape.partitions = static_cast<unsigned>(which.partitions());
  shape.bins = static_cast<unsigned>(which.block_frames + 1);
  shape.one_input = which.wiring == Wiring::kBank ? 1 : 0;
  // Threads for the whole device, and no share smaller than eight products.
  int multiprocessors = 0;
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0), "a device");
  const unsigned threads = shape.bins * shape.outputs;
  const unsigned wanted = 1'024U * static_cast<unsigned>(multiprocessors) / threads;
  shape.splits = std::max(1U, std::min({wanted, shape.terms * shape.partitions / 8, 128U}));
  return shape;
}

class Peer {
 public:
  explicit Peer(const Case& which)
      : case_(which),
        shape_(shape_of(which)),
        block_(static_cast<unsigned>(which.block_frames)),
        host_in_(which.inputs * block_),
        host_out_(which.outputs * block_),
        fresh_(which.inputs * block_),
        windows_(which.inputs * 2 * block_),
        delay_lines_(which.inputs * shape_.partitions * shape_.bins),
        responses_(which.outputs * which.terms() * shape_.partitions * shape_.bins),
        sums_(std::size_t{shape_.splits} * which.outputs * shape_.bins),
        frames_(which.outputs * 2 * block_),
        forward_(2 * block_, std::size_t{shape_.partitions} * shape_.bins, CUFFT_R2C, which.inputs,
                 stream_),
        inverse_(2 * block_, 2 * block_, CUFFT_C2R, which.outputs, stream_) {
    load();
  }

  /// One block, from host memory to host memory.
  void process() {
    for (std::size_t i = 0; i < case_.inputs; ++i) {
      const float* from = samples_.data() + i * stride_ + position_ % case_.signal_period();
      std::copy_n(from, block_, host_in_.get() + i * block_);
    }
    launch();
    stream_.wait();
    position_ += block_;
  }

  /// The device's part alone.
  void launch() {
    newest_ = (newest_ + shape_.partitions - 1) % shape_.partitions;
    check(cudaMemcpyAsync(fresh_.get(), host_in_.get(), host_in_.bytes(), cudaMemcpyHostToDevice,
                          stream_.get()),
          "cudaMemcpyAsync");
    shift_in<<<blocks_for(fresh_.size()), kThreads, 0, stream_.get()>>>(
        windows_.get(), fresh_.get(), case_.inputs, block_);
    auto* slot = delay_lines_.get() + std::size_t{newest_} * shape_.bins;
    check_fft(cufftExecR2C(forward_.get(), windows_.get(), reinterpret_cast<cufftComplex*>(slot)),
              "cufftExecR2C");
    const dim3 grid(blocks_for(shape_.bins), shape_.outputs, shape_.splits);
    multiply<<<grid, kThreads, 0, stream_.get()>>>(sums_.get(), responses_.get(),
                                                   delay_lines_.get(), shape_, newest_);
    const std::size_t values = std::size_t{shape_.outputs} * shape_.bins;
    if (shape_.splits > 1) {
      add_splits<<<blocks_for(values), kThreads, 0, stream_.get()>>>(sums_.get(), shape_.splits,
                                                                     values);
    }
    check(cudaGetLastError(), "a launch");
    check_fft(
        cufftExecC2R(inverse_.get(), reinterpret_cast<cufftComplex*>(sums_.get()), frames_.get()),
        "cufftExecC2R");
    check(cudaMemcpy2DAsync(host_out_.get(), block_ * sizeof(float), frames_.get() + block_,
                            2 * block_ * sizeof(float), block_ * sizeof(float), case_.outputs,
                            cudaMemcpyDeviceToHost, stream_.get()),
          "cudaMemcpy2DAsync");
  }

  void verify(const Oracle& oracle) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(host_out_.get(), host_out_.size(), nan);
    const std::size_t first = position_;
    process();
    std::vector<const float*> planes;
    for (const std::size_t output : oracle.outputs()) {
      planes.push_back(host_out_.get() + output * block_);
    }
    const bool complete = std::all_of(host_out_.get(), host_out_.get() + host_out_.size(),
                                      [](float x) { return std::isfinite(x); });
    const double error = oracle.error(planes, first);
    if (!complete || error > Oracle::kTolerance) {
      throw std::runtime_error("the outputs are wrong: relative error " + std::to_string(error));
    }
    tell_figure("relative error", "ratio", error);
  }

  const Stream& stream() const { return stream_; }

 private:
  void load() {
    stride_ = case_.signal_period() + block_;
    samples_.resize(case_.inputs * stride_);
    for (std::size_t i = 0; i < case_.inputs; ++i) {
      for (std::size_t n = 0; n < stride_; ++n) {
        samples_[i * stride_ + n] = sample_of(case_, i, n);
      }
    }

    const FftPlan plan(2 * block_, shape_.bins, CUFFT_R2C, shape_.partitions, stream_);
    const PinnedArray<float> host_taps(case_.taps);
    const DeviceArray<float> taps(case_.taps);
    const DeviceArray<float> padded(std::size_t{shape_.partitions} * 2 * block_);
    for (std::size_t o = 0; o < case_.outputs; ++o) {
      for (std::size_t t = 0; t < case_.terms(); ++t) {
        const std::size_t filter = case_.filter(o, t);
        const float scale = tap_scale(case_, filter);
        for (std::size_t k = 0; k < case_.taps; ++k) host_taps[k] = tap_of(filter, k, scale);
        check(cudaMemcpyAsync(taps.get(), host_taps.get(), taps.bytes(), cudaMemcpyHostToDevice,
                              stream_.get()),
              "cudaMemcpyAsync");
        // cuFFT's inverse is not normalised.
        pad_taps<<<blocks_for(padded.size()), kThreads, 0, stream_.get()>>>(
            padded.get(), taps.get(), case_.taps, shape_.partitions, block_,
            0.5F / static_cast<float>(block_));
        auto* to = responses_.get() +
                   (o * case_.terms() + t) * std::size_t{shape_.partitions} * shape_.bins;
        check_fft(cufftExecR2C(plan.get(), padded.get(), reinterpret_cast<cufftComplex*>(to)),
                  "cufftExecR2C");
        stream_.wait();
      }
    }
  }

  const Case& case_;
  Shape shape_;
  unsigned block_;
  Stream stream_;
  PinnedArray<float> host_in_, host_out_;
  DeviceArray<float> fresh_, windows_;
  DeviceArray<float2> delay_lines_, responses_, sums_;
  DeviceArray<float> frames_;
  FftPlan forward_, inverse_;
  std::vector<float> samples_;
  std::size_t stride_ = 0;
  std::size_t position_ = 0;
  unsigned newest_ = 0;
};

void measure(const Case& which, double seconds) {
  const Oracle oracle(which);
  Peer peer(which);
  for (std::size_t n = 0; n < which.partitions() + 2; ++n) peer.process();
  peer.verify(oracle);

  const auto turns = static_cast<std::size_t>(seconds * 1e6 / which.period_us()) + 1;
  std::vector<double> took;
  Pacer pacer(which.period_us());
  for (std::size_t n = 0; n < turns / 20 + 1; ++n) {
    pacer.wait();
    peer.process();
  }
  const Pacer::Clock::time_point begin = Pacer::Clock::now();
  while (took.size() < turns && microseconds_since(begin) < 1.5e6 * seconds) {
    pacer.wait();
    const Pacer::Clock::time_point submitted = Pacer::Clock::now();
    peer.process();
    took.push_back(microseconds_since(submitted));
  }
  peer.verify(oracle);
  tell_samples("process", "us", std::move(took));

  std::vector<double> busy;
  DeviceTimer timer;
  for (int n = 0; n < 200; ++n) {
    timer.begin(peer.stream());
    peer.launch();
    timer.end(peer.stream());
    busy.push_back(timer.microseconds());
  }
  tell_samples("device time", "us", std::move(busy));
}

}  // namespace
}  // namespace firbank::bench

int main(int count, char** arguments) {
  using namespace firbank::bench;
  try {
    std::string name;
    bool quick = false;
    double seconds = 20;
    for (int i = 1; i < count; ++i) {
      const std::string word = arguments[i];
      if (word == "--quick") {
        quick = true;
      } else if (word == "--seconds" && i + 1 < count) {
        seconds = std::stod(arguments[++i]);
      } else if (name.empty()) {
        name = word;
      } else {
        throw std::runtime_error("there is no option '" + word + "'");
      }
    }
    const Case which = find_case(name, quick);
    if (which.name.empty() || which.is_file()) {
      throw std::runtime_error("there is no case '" + name + "'; allowed: G1, G2, G3");
    }
    check(cudaSetDeviceFlags(cudaDeviceScheduleSpin | cudaDeviceMapHost), "cudaSetDeviceFlags");
    measure(which, seconds);
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "gpu_cufft_peer: %s\n", failure.what());
    return 1;
  }
}
