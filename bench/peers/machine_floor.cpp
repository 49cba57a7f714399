#include "bench/peers/machine_floor.hpp"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <cstddef>
#include <thread>

#include "bench/peers/planes.hpp"
#include "bench/peers/stopwatch.hpp"

namespace peers {
namespace {

#ifdef __AVX512F__
using Vector = float __attribute__((vector_size(64)));
#else
using Vector = float __attribute__((vector_size(32)));
#endif

constexpr std::size_t kVectorFloats = sizeof(Vector) / sizeof(float);

/// Keeps a value in a register, and the work that made it.
void keep(Vector& value) {
  asm volatile("" : "+v"(value));
}

/// Reads all of it once, into eight sums.
void read_once(const float* data, std::size_t floats) {
  const auto* vectors = reinterpret_cast<const Vector*>(data);
  Vector sums[8] = {};
  for (std::size_t n = 0; n < floats / kVectorFloats; n += 8) {
    for (std::size_t k = 0; k < 8; ++k) sums[k] += vectors[n + k];
  }
  for (Vector& sum : sums) keep(sum);
}

constexpr std::size_t kChains = 12;

/// Independent multiply-adds in registers; returns how many flops.
double multiply_add(std::size_t rounds) {
  Vector sums[kChains] = {};
  for (Vector& sum : sums) keep(sum);  // else the chains are known to be equal, and become one
  Vector scale = {}, step = {};
  scale += 0.5f;
  step += 1.0f;
  for (std::size_t n = 0; n < rounds; ++n) {
    for (Vector& sum : sums) sum = sum * scale + step;
    keep(scale);
  }
  for (Vector& sum : sums) keep(sum);
  return 2.0 * static_cast<double>(rounds * kChains * kVectorFloats);
}

double thread_seconds() {
  return clock_seconds(CLOCK_THREAD_CPUTIME_ID);
}

/// The best rate of `threads` threads together over a few rounds, which are short, so that some
/// escape what else the machine does. `work(thread)` does some work, returns how much.
template <class Work>
double best_rate(int threads, double (*clock)(), double seconds, int rounds, const Work& work) {
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    std::barrier together(threads);
    std::vector<double> rates(static_cast<std::size_t>(threads));
    const auto run = [&](int thread) {
      work(thread);  // warms up
      together.arrive_and_wait();
      const double begin = clock();
      double done = 0, spent = 0;
      while (spent < seconds) {
        done += work(thread);
        spent = clock() - begin;
      }
      rates[static_cast<std::size_t>(thread)] = done / spent;
    };
    std::vector<std::jthread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(run, thread);
    run(0);
    others.clear();
    double rate = 0;
    for (const double each : rates) rate += each;
    best = std::max(best, rate);
  }
  return best;
}

/// Interpolates `value` over the sizes.
template <class Value>
double at_size(const std::vector<ReadRate>& reads, double bytes, const Value& value) {
  if (bytes <= reads.front().bytes) return value(reads.front());
  for (std::size_t n = 1; n < reads.size(); ++n) {
    if (bytes > reads[n].bytes) continue;
    const double share =
        std::log(bytes / reads[n - 1].bytes) / std::log(reads[n].bytes / reads[n - 1].bytes);
    return value(reads[n - 1]) + share * (value(reads[n]) - value(reads[n - 1]));
  }
  return value(reads.back());
}

}  // namespace

double MachineFloor::read_bytes_per_second(double bytes) const {
  return at_size(reads, bytes, [](const ReadRate& read) { return read.bytes_per_second; });
}

double MachineFloor::two_thread_reads(double bytes) const {
  return at_size(reads, bytes, [](const ReadRate& read) { return read.two_threads; });
}

MachineFloor measure_machine(bool quick) {
  const double seconds = quick ? 0.002 : 0.005;
  const int rounds = quick ? 1 : 15;
  // One thread is rated by its processor time, which others do not touch; two by the wall clock.
  const auto one = [&](const auto& work) {
    return best_rate(1, thread_seconds, seconds, rounds, work);
  };
  const auto two = [&](const auto& work) {
    return best_rate(2, wall_seconds, seconds, 3 * rounds, work);
  };
  MachineFloor floor;
  const std::size_t largest = quick ? std::size_t{1} << 22 : std::size_t{1} << 28;
  const Planes data(2, largest / sizeof(float));
  // Sizes in proportion to the levels of caches: a step is a factor of two, then four.
  for (std::size_t bytes = 16 * 1'024; bytes <= largest;
       bytes *= bytes < (std::size_t{1} << 26) ? 2 : 4) {
    const auto work = [&](int thread) {
      // At least 1 MiB between two looks at the clock.
      const std::size_t times = std::max<std::size_t>(1, (std::size_t{1} << 20) / bytes);
      for (std::size_t n = 0; n < times; ++n) {
        read_once(data[static_cast<std::size_t>(thread)], bytes / sizeof(float));
      }
      return static_cast<double>(times * bytes);
    };
    ReadRate read;
    read.bytes = static_cast<double>(bytes);
    read.bytes_per_second = one(work);
    read.two_threads = two(work) / read.bytes_per_second;
    floor.reads.push_back(read);
  }
  const auto work = [](int) { return multiply_add(20'000); };
  floor.peak_flops = one(work);
  floor.two_threads = two(work) / floor.peak_flops;
  return floor;
}

}  // namespace peers
