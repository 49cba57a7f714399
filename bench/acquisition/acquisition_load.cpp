// What an acquisition program pays for its filters: packets of 16-bit samples at the pace of the
// hardware in, float samples out, by the C API, from both ends of it.
//
//   acquisition_load CHANNELS TAPS BLOCK RATE SECONDS [process|pipeline [THREADS]]   at that pace
//   acquisition_load CHANNELS TAPS BLOCK RATE flat FRAMES                            as fast as it
//   can
//
// Prints one line of JSON. "cpu_share" is processor time, of all threads and of the system on their
// behalf, for a second of the stream: 1 is a core, and more than 1 a thread that does not keep up.
// The last packets' answers are compared with a direct convolution in double precision.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capi/firbank.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Load {
  std::size_t channels = 0;
  std::size_t taps = 0;
  std::size_t block = 0;
  std::size_t threads = 1;
  double rate_hz = 0;
  double seconds = 0;       // of a paced run
  std::int64_t frames = 0;  // of a run as fast as it can
  bool in_pipeline = true;
};

constexpr double kScale = 0.195;  // microvolts a step

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Filters of noise and a stream of it, which repeats after kPeriod blocks.
class Signals {
 public:
  static constexpr std::size_t kPeriod = 64;

  explicit Signals(const Load& load) : load_(load) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    for (std::size_t channel = 0; channel < load.channels; ++channel) {
      std::vector<double>& taps = taps_.emplace_back(load.taps);
      for (double& tap : taps) tap = normal(random) / std::sqrt(static_cast<double>(load.taps));
    }
    samples_.resize(kPeriod * load.block * load.channels);
    for (std::int16_t& sample : samples_) {
      sample = static_cast<std::int16_t>(std::lround(200 * normal(random)));
    }
  }

  const std::int16_t* packet(std::int64_t block) const {
    const auto turn = static_cast<std::size_t>(block) % kPeriod;
    return samples_.data() + turn * load_.block * load_.channels;
  }
  const std::vector<std::vector<double>>& taps() const { return taps_; }

  /// What a channel answers at a frame, which lies a filter's length behind the beginning.
  double answer(std::size_t channel, std::int64_t frame) const {
    double sum = 0;
    for (std::size_t k = 0; k < load_.taps; ++k) {
      const auto at =
          static_cast<std::size_t>(frame - static_cast<std::int64_t>(k)) % (kPeriod * load_.block);
      sum += taps_[channel][k] * kScale * samples_[at * load_.channels + channel];
    }
    return sum;
  }

 private:
  Load load_;
  std::vector<std::vector<double>> taps_;
  std::vector<std::int16_t> samples_;
};

class Engine {
 public:
  Engine(const Load& load, const Signals& signals) : engine_(firbank_new()) {
    std::vector<const double*> taps;
    std::vector<size_t> lengths;
    for (const std::vector<double>& one : signals.taps()) {
      taps.push_back(one.data());
      lengths.push_back(one.size());
    }
    const firbank_filters filters{taps.size(), taps.data(), lengths.data(), nullptr};
    firbank_config config;
    firbank_config_init(&config, sizeof config);
    config.sample_rate_hz = load.rate_hz;
    config.channels = load.channels;
    config.in.scale = kScale;
    config.block_frames = load.block;
    config.threads = load.threads;
    config.ring_blocks = 16;
    if (firbank_open(engine_, &config, &filters) != FIRBANK_OK) {
      throw std::runtime_error(firbank_message(engine_));
    }
  }
  ~Engine() { firbank_free(engine_); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  firbank_engine* get() const { return engine_; }

 private:
  firbank_engine* engine_;
};

/// Largest difference of a block's answers from the direct convolution, relative to their size.
double error_of(const Load& load, const Signals& signals, const std::vector<float>& out,
                std::int64_t first_frame) {
  double error = 0;
  double power = 0;
  for (std::size_t channel = 0; channel < load.channels; channel += load.channels / 7 + 1) {
    for (std::size_t n = 0; n < load.block; ++n) {
      const double right = signals.answer(channel, first_frame + static_cast<std::int64_t>(n));
      const double difference = static_cast<double>(out[n * load.channels + channel]) - right;
      error += difference * difference;
      power += right * right;
    }
  }
  return std::sqrt(error / power);
}

struct Outcome {
  double cpu_share = 0;
  double worst_wait_us = 0;  // from a packet's time to the end of its answer
  double error = 0;
  std::int64_t frames = 0;
  double growth_bytes = 0;  // of what is resident, after the first tenth
};

/// At the pace of the stream.
Outcome run_paced(const Load& load, const Signals& signals, firbank_engine* engine) {
  const auto blocks =
      static_cast<std::int64_t>(load.seconds * load.rate_hz / static_cast<double>(load.block));
  const double period_ns = 1e9 * static_cast<double>(load.block) / load.rate_hz;
  std::vector<float> out(load.block * load.channels);
  Outcome outcome;
  firbank_reader* reader = nullptr;
  if (load.in_pipeline) {
    firbank_start(engine);
    reader = firbank_open_reader(engine, FIRBANK_LOSSLESS);
  }
  const double cpu_before = cpu_seconds();
  const Clock::time_point start = Clock::now();
  const auto time_of = [&](std::int64_t block) {
    return start + std::chrono::nanoseconds(
                       static_cast<std::int64_t>(static_cast<double>(block + 1) * period_ns));
  };
  const auto done = [&](std::int64_t block) {
    const double wait_us =
        std::chrono::duration<double, std::micro>(Clock::now() - time_of(block)).count();
    if (block > 100) outcome.worst_wait_us = std::max(outcome.worst_wait_us, wait_us);
  };
  const auto frames = static_cast<std::int64_t>(load.block);
  if (load.in_pipeline) {
    std::thread producer([&] {
      for (std::int64_t block = 0; block < blocks; ++block) {
        std::this_thread::sleep_until(time_of(block));
        firbank_pushed pushed;
        firbank_push(engine, signals.packet(block), load.block, block * frames, 0, &pushed);
        // A ring that is full is a machine that is too slow: the gap shows in the figures.
      }
    });
    for (std::int64_t block = 0; block < blocks;) {
      if (firbank_wait(reader, 2'000'000'000) == 0) break;
      firbank_block pulled;
      firbank_pull(reader, out.data(), load.block, &pulled);
      if (pulled.frames != load.block) break;
      block = pulled.first_frame / frames + 1;
      outcome.frames += frames;
      done(block - 1);
    }
    producer.join();
  } else {
    for (std::int64_t block = 0; block < blocks; ++block) {
      std::this_thread::sleep_until(time_of(block));
      firbank_process(engine, signals.packet(block), out.data(), load.block);
      outcome.frames += frames;
      done(block);
    }
  }
  outcome.cpu_share = (cpu_seconds() - cpu_before) * load.rate_hz /
                      static_cast<double>(blocks * frames);  // a second of the stream
  outcome.error = error_of(load, signals, out, (blocks - 1) * frames);
  return outcome;
}

/// As fast as it can, with an eye on memory.
Outcome run_flat(const Load& load, const Signals& signals, firbank_engine* engine) {
  const auto frames = static_cast<std::int64_t>(load.block);
  const std::int64_t blocks = load.frames / frames;
  std::vector<float> out(load.block * load.channels);
  Outcome outcome;
  double resident = 0;
  const double cpu_before = cpu_seconds();
  for (std::int64_t block = 0; block < blocks; ++block) {
    firbank_process(engine, signals.packet(block), out.data(), load.block);
    if (block == blocks / 10) resident = resident_bytes();
  }
  outcome.growth_bytes = resident_bytes() - resident;
  outcome.frames = blocks * frames;
  outcome.cpu_share =
      (cpu_seconds() - cpu_before) / (static_cast<double>(outcome.frames) / load.rate_hz);
  outcome.error = error_of(load, signals, out, (blocks - 1) * frames);
  return outcome;
}

int run(int argc, char** argv) {
  if (argc < 6) {
    std::fputs(
        "acquisition_load CHANNELS TAPS BLOCK RATE SECONDS [process|pipeline [THREADS]]\n"
        "acquisition_load CHANNELS TAPS BLOCK RATE flat FRAMES\n",
        stderr);
    return 2;
  }
  Load load;
  load.channels = std::stoul(argv[1]);
  load.taps = std::stoul(argv[2]);
  load.block = std::stoul(argv[3]);
  load.rate_hz = std::stod(argv[4]);
  const bool is_flat = std::strcmp(argv[5], "flat") == 0;
  if (is_flat) {
    load.frames = std::stoll(argc > 6 ? argv[6] : "100000000");
  } else {
    load.seconds = std::stod(argv[5]);
    load.in_pipeline = argc < 7 || std::strcmp(argv[6], "process") != 0;
    if (argc > 7) load.threads = std::stoul(argv[7]);
  }
  const Signals signals(load);
  malloc_trim(0);
  const double before = resident_bytes();
  const Engine engine(load, signals);
  const Outcome outcome =
      is_flat ? run_flat(load, signals, engine.get()) : run_paced(load, signals, engine.get());
  const double memory = resident_bytes() - before;
  firbank_stats stats;
  stats.struct_size = sizeof(stats);
  firbank_get_stats(engine.get(), &stats);
  fmt::print(
      "{{\"channels\": {}, \"taps\": {}, \"block\": {}, \"rate_hz\": {}, \"way\": \"{}\", "
      "\"threads\": {}, "
      "\"backend\": \"{}\", \"frames\": {}, \"cpu_share\": {:.5f}, \"worst_wait_us\": {:.1f}, "
      "\"gap_frames\": {}, \"relative_error\": {:.3g}, \"bytes_per_channel\": {:.0f}, "
      "\"growth_bytes\": {:.0f}}}\n",
      load.channels, load.taps, load.block, load.rate_hz,
      is_flat            ? "flat"
      : load.in_pipeline ? "pipeline"
                         : "process",
      load.threads, firbank_backend(engine.get()), outcome.frames, outcome.cpu_share,
      outcome.worst_wait_us, stats.gap_frames, outcome.error,
      memory / static_cast<double>(load.channels), outcome.growth_bytes);
  return outcome.error < 1e-6 && stats.gap_frames == 0 ? 0 : 4;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "acquisition_load: %s\n", error.what());
    return 2;
  }
}
