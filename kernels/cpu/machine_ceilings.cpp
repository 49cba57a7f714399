#include "kernels/cpu/machine_ceilings.hpp"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <ctime>
#include <thread>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/ceiling_loops.hpp"

namespace firbank {
namespace {

constexpr std::size_t kLeastBytes = 16 * 1'024;  // of a thread: within every first cache
// Up to here sizes follow the levels of caches; beyond, memory is the same everywhere.
constexpr std::size_t kFineBytes = std::size_t{64} << 20;
constexpr std::size_t kBetweenLooks = std::size_t{1} << 20;  // bytes, from one look at the clock on
constexpr std::size_t kMultiplyAddRounds = 20'000;

double seconds_of(CeilingClock clock) {
  timespec now{};
  clock_gettime(clock == CeilingClock::kProcessor ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC,
                &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What all threads together do a second. `work(thread)` does some work and returns how much.
template <class Work>
double rate_of(const CeilingEffort& effort, const Work& work) {
  std::barrier together(static_cast<std::ptrdiff_t>(effort.threads));
  std::vector<double> rates(effort.threads);
  const auto run = [&](std::size_t thread) {
    work(thread);  // warms up
    together.arrive_and_wait();
    const double begin = seconds_of(effort.clock);
    double done = 0;
    double spent = 0;
    while (spent < effort.seconds) {
      done += work(thread);
      spent = seconds_of(effort.clock) - begin;
    }
    rates[thread] = done / spent;
  };
  std::vector<std::jthread> others;
  try {
    for (std::size_t thread = 1; thread < effort.threads; ++thread) {
      others.emplace_back(run, thread);
    }
  } catch (...) {
    // Those that were started are not to wait for the others.
    for (std::size_t n = others.size(); n < effort.threads; ++n) together.arrive_and_drop();
    throw;
  }
  run(0);
  others.clear();
  double rate = 0;
  for (const double each : rates) rate += each;
  return rate;
}

/// Each thread's memory, and what keeps the loops' results.
template <class Sample>
struct Bench {
  const CeilingLoops<Sample>& loops;
  std::vector<AlignedVector<Sample>> data;
  std::vector<AlignedVector<Sample>> results;  // a cache line each

  Bench(const CeilingLoops<Sample>& of_set, std::size_t threads, std::size_t thread_bytes)
      : loops(of_set),
        data(threads, AlignedVector<Sample>(thread_bytes / sizeof(Sample))),
        results(threads, AlignedVector<Sample>(kCacheLineBytes / sizeof(Sample))) {}

  double read(std::size_t thread, std::size_t bytes) {
    const std::size_t times = std::max<std::size_t>(1, kBetweenLooks / bytes);
    for (std::size_t n = 0; n < times; ++n) {
      results[thread][0] += loops.read(data[thread].data(), bytes / sizeof(Sample));
    }
    return static_cast<double>(times * bytes);
  }
  double multiply_add(std::size_t thread) {
    results[thread][0] += loops.multiply_add(kMultiplyAddRounds, Sample(0.5), Sample(1));
    return static_cast<double>(kMultiplyAddRounds * loops.round_flops);
  }
};

/// Of one thread.
std::vector<std::size_t> sizes_to_read(std::size_t threads, std::size_t most_bytes) {
  std::vector<std::size_t> sizes;
  for (std::size_t bytes = kLeastBytes; sizes.empty() || bytes * threads <= most_bytes;
       bytes *= bytes * threads < kFineBytes ? 2 : 4) {
    sizes.push_back(bytes);
  }
  return sizes;
}

}  // namespace

double MachineCeilings::read_bytes_per_second(double bytes) const {
  if (bytes <= reads.front().bytes) return reads.front().bytes_per_second;
  for (std::size_t n = 1; n < reads.size(); ++n) {
    const ReadCeiling& below = reads[n - 1];
    const ReadCeiling& above = reads[n];
    if (bytes > above.bytes) continue;
    const double share = std::log(bytes / below.bytes) / std::log(above.bytes / below.bytes);
    return below.bytes_per_second + share * (above.bytes_per_second - below.bytes_per_second);
  }
  return reads.back().bytes_per_second;
}

template <class Sample>
MachineCeilings measure_ceilings(InstructionSet set, const CeilingEffort& effort,
                                 const std::function<void(double done)>& progress) {
  const std::vector<std::size_t> sizes = sizes_to_read(effort.threads, effort.most_bytes);
  Bench<Sample> bench(*ceiling_loops<Sample>(set), effort.threads, sizes.back());
  MachineCeilings ceilings;
  ceilings.instruction_set = set;
  ceilings.sample_bytes = sizeof(Sample);
  ceilings.threads = effort.threads;
  for (const std::size_t bytes : sizes) {
    ceilings.reads.push_back({static_cast<double>(bytes * effort.threads), 0});
  }
  for (std::size_t round = 0; round < effort.rounds; ++round) {
    double& peak = ceilings.peak_flops_per_second;
    peak = std::max(
        peak, rate_of(effort, [&](std::size_t thread) { return bench.multiply_add(thread); }));
    for (std::size_t n = 0; n < sizes.size(); ++n) {
      double& best = ceilings.reads[n].bytes_per_second;
      best = std::max(
          best, rate_of(effort, [&](std::size_t thread) { return bench.read(thread, sizes[n]); }));
    }
    if (progress) progress(static_cast<double>(round + 1) / static_cast<double>(effort.rounds));
  }
  return ceilings;
}

template MachineCeilings measure_ceilings<float>(InstructionSet, const CeilingEffort&,
                                                 const std::function<void(double)>&);
template MachineCeilings measure_ceilings<double>(InstructionSet, const CeilingEffort&,
                                                  const std::function<void(double)>&);

}  // namespace firbank
