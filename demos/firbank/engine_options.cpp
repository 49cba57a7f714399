#include "demos/firbank/engine_options.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "engine/copy_threads.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

// One block comes, one is computed, one goes home.
constexpr std::size_t kThroughputDepth = 2;

/// "64,512" as numbers; empty when it is no list of them.
std::optional<std::vector<std::size_t>> parse_sizes(std::string_view text) {
  std::vector<std::size_t> sizes;
  const char* at = text.data();
  const char* const last = text.data() + text.size();
  for (;;) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(at, last, size);
    if (error != std::errc{}) return std::nullopt;
    sizes.push_back(size);
    if (end == last) return sizes;
    if (*end != ',') return std::nullopt;
    at = end + 1;
  }
}

CLI::Validator list_of_sizes() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        if (parse_sizes(text)) return {};
        return fmt::format(
            "'{}' is not allowed; whole numbers with commas between them, such as 64,512,4096, are",
            text);
      },
      "");
}

}  // namespace

void EngineOptions::add_to(CLI::App& command) {
  command.add_option("--block", block_frames, "Frames a block of a live run (256), 1 to 65536")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  add_plan_to(command);
}

void EngineOptions::add_plan_to(CLI::App& command) {
  command
      .add_option("--threads", threads,
                  "Threads that compute (1), 1 to 64; beside a GPU those that copy\n"
                  "samples to it and home")
      ->type_name("N")
      ->check(whole_number(1, 64));
  command
      .add_option("--partitions", partitions,
                  "Block sizes of the plan, instead of a choice, such as\n"
                  "64,512,4096: 1 to 5, each 1 to 32768, multiples of the first and\n"
                  "at least twice the one before")
      ->type_name("N,N...")
      ->check(list_of_sizes());
  costs.add_to(command);
}

void EngineOptions::add_arithmetic_to(CLI::App& command) {
  command.add_option("--precision", precision, "Arithmetic: float (default) or double")
      ->type_name("float|double")
      ->check(one_of({"float", "double"}));
  add_backend_to(command);
}

void EngineOptions::add_backend_to(CLI::App& command) {
  command
      .add_option("--backend", backend,
                  "auto (default) or cpu: the best CPU backend here; cuda or\n"
                  "cuda:N: GPU N; or a name that 'firbank backends' lists")
      ->type_name("NAME");
}

void EngineOptions::add_spectra_to(CLI::App& command) {
  command
      .add_option("--spectra", spectra,
                  "Spectra of the filters: full (default), or int16: 9/16 of the memory,\n"
                  "and an error of -90 dB; float precision")
      ->type_name("full|int16")
      ->check(one_of({"full", "int16"}));
}

void EngineOptions::add_depth_to(CLI::App& command) {
  command
      .add_option("--depth", depth,
                  "Blocks that a backend may keep under way (0), 0 to 64: each\n"
                  "adds a block of latency, and lets a GPU work meanwhile")
      ->type_name("N")
      ->check(whole_number(0, 64));
}

void EngineOptions::add_gpu_mode_to(CLI::App& command) {
  command
      .add_option("--gpu-mode", gpu_mode,
                  "What a GPU computes: throughput (default for files): as many blocks\n"
                  "as can be, samples coming and going meanwhile; whole (default with\n"
                  "--as-live or --realtime): each block as soon as can be; or hybrid:\n"
                  "the tails of the filters, while the CPU computes their heads and no\n"
                  "latency is added; with --as-live or --realtime")
      ->type_name("MODE")
      ->check(one_of({"whole", "hybrid", "throughput"}));
  command.get_option("--threads")
      ->description(
          "Threads that compute (1), 1 to 64; beside a GPU those that copy\n"
          "samples to it and home (1; with --gpu-mode throughput those of the\n"
          "processor, up to 8), or that compute the heads");
}

void EngineOptions::add_memory_limit_to(CLI::App& command) {
  command
      .add_option("--memory-limit", memory_limit_bytes,
                  "Most memory that spectra, sums and samples may take where they\n"
                  "are computed, such as 500M or 2G; with --gpu-mode hybrid on the\n"
                  "GPU: the heads take some of the host's beside it. What a GPU has\n"
                  "free is a limit by itself")
      ->type_name("SIZE")
      ->transform(size_in_bytes());
}

void EngineOptions::add_overload_to(CLI::App& command) {
  command
      .add_option("--on-overload", on_overload,
                  "When the CPU takes over from a lost GPU and is too slow for the\n"
                  "clock: truncate the filters (default with --realtime), drop\n"
                  "blocks, or fail: silence from there on; all with exit code 4.\n"
                  "Needs --realtime")
      ->type_name("POLICY")
      ->check(one_of({"truncate", "drop", "fail"}));
}

GpuMode EngineOptions::mode_for(PlanGoal goal) const {
  if (gpu_mode == "hybrid") return GpuMode::kHybrid;
  if (gpu_mode == "throughput") return GpuMode::kThroughput;
  const bool on_gpu = backend.starts_with("cuda");
  return gpu_mode.empty() && on_gpu && goal == PlanGoal::kOffline ? GpuMode::kThroughput
                                                                  : GpuMode::kWhole;
}

std::size_t EngineOptions::threads_for(PlanGoal goal) const {
  return threads.value_or(mode_for(goal) == GpuMode::kThroughput ? copy_threads() : 1);
}

EngineConfig EngineOptions::config(double sample_rate_hz, PlanGoal goal) const {
  EngineConfig config;
  config.sample_rate_hz = sample_rate_hz;
  config.block_frames = block_frames;
  config.threads = threads_for(goal);
  config.spectra = spectra == "int16" ? Spectra::kInt16 : Spectra::kFull;
  config.backend = backend;
  config.depth_blocks = depth;
  config.gpu_mode = mode_for(goal);
  if (goal == PlanGoal::kOffline && config.gpu_mode == GpuMode::kThroughput && depth == 0) {
    config.depth_blocks = kThroughputDepth;
  }
  config.ring_blocks = std::max(config.ring_blocks, config.depth_blocks + 1);
  config.goal = goal;
  config.memory_limit_bytes = memory_limit_bytes;
  if (on_overload == "truncate") config.on_overload = Overload::kTruncate;
  if (on_overload == "drop") config.on_overload = Overload::kDrop;
  if (on_overload == "fail") config.on_overload = Overload::kFail;
  if (!partitions.empty()) config.partition_frames = parse_sizes(partitions).value();
  return config;
}

std::shared_ptr<const Backend> EngineOptions::open_backend() const {
  try {
    if (auto opened = make_backend(backend)) {
      if (spectra == "int16" && (precision == "double" || !opened->has_compact_spectra())) {
        refuse(fmt::format("--spectra is int16; allowed in {} precision on {}: full", precision,
                           opened->name()));
      }
      return opened;
    }
  } catch (const BackendError& error) {
    refuse(error.what());
  }
  for (const BackendInfo& info : list_backends()) {
    // Where there is no GPU at all, one entry says why for every number.
    if (info.name == backend || (info.name == "cuda" && backend.starts_with("cuda:"))) {
      refuse(fmt::format("backend '{}' cannot run here: {}", backend, info.reason));
    }
  }
  refuse(fmt::format("backend '{}' cannot run here; 'firbank backends' lists what can", backend));
}

}  // namespace firbank::program
