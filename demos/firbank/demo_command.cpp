// firbank demo capacity: filters are added until blocks come too late, drawn while it happens.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "demos/firbank/bench/capacity/capacity_backends.hpp"
#include "demos/firbank/bench/capacity/capacity_probe.hpp"
#include "demos/firbank/bench/noise_filters.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/wording.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank demo capacity                                  # the best CPU backend, and each GPU
  firbank demo capacity --block 128 --taps 48000         # filters of a second
  firbank demo capacity --backend cpu-avx2 --threads 2 --json capacity.json

A bar is the 99th percentile of a block's computing time; its end is the deadline, the time that
the block lasts. On one thread of a CPU it is the processor's time, so that other programs do not
count; "clock" is what passed.)";

constexpr std::size_t kBarWidth = 40;

struct Arguments {
  std::string name;
  EngineConfig config{.block_frames = 64};
  std::string backend;  // empty: the best of the CPU and each GPU
  std::size_t taps = 9'600;
  std::size_t most_filters = 4'096;
  CapacityLimit limit{.seconds = 0.5};
  JsonReport json;
};

/// "[##########------|" with the deadline at its end; beyond it "!".
std::string bar(const CapacityStep& step) {
  const double share = step.p99_us / step.deadline_us;
  const auto filled = static_cast<std::size_t>(std::lround(std::min(share, 1.0) * kBarWidth));
  return fmt::format("[{:-<{}}|{}", std::string(filled, '#'), kBarWidth, share > 1 ? "!" : " ");
}

std::string line(const CapacityStep& step) {
  return fmt::format("{:>6} filters  {} p99 {:>8.1f} us of {:.1f}  (mean {:.1f}, clock {:.1f})",
                     step.value, bar(step), step.p99_us, step.deadline_us, step.mean_us,
                     step.clock_p99_us);
}

nlohmann::ordered_json to_json(const std::string& backend, const std::vector<CapacityStep>& steps) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CapacityStep& step : steps) {
    list.push_back({{"filters", step.value},
                    {"blocks", step.blocks},
                    {"mean_us", step.mean_us},
                    {"p99_us", step.p99_us},
                    {"clock_p99_us", step.clock_p99_us},
                    {"in_time", step.in_time}});
  }
  return {{"backend", backend}, {"filters", capacity_of(steps)}, {"steps", list}};
}

int run(Arguments& arguments) {
  EngineConfig& config = arguments.config;
  arguments.json.open({});
  install_interrupt_handlers(2);
  const bool tells = !arguments.json.takes_standard_output();
  const double deadline_us = 1e6 * static_cast<double>(config.block_frames) / config.sample_rate_hz;
  if (tells) {
    fmt::print("One channel at {} Hz through filters of {} taps, in blocks of {} ({}):\n",
               config.sample_rate_hz, arguments.taps, config.block_frames,
               duration(1e-6 * deadline_us));
  }
  nlohmann::ordered_json report = {{"block_frames", config.block_frames},
                                   {"taps", arguments.taps},
                                   {"sample_rate_hz", config.sample_rate_hz},
                                   {"threads", config.threads},
                                   {"deadline_us", deadline_us},
                                   {"backends", nlohmann::ordered_json::array()}};
  for (const std::string& name : backends_to_try(arguments.backend)) {
    if (interrupt_requested()) break;
    config.backend = name;
    if (tells) fmt::print("{}\n", name);
    CapacitySearch search;
    search.most = arguments.most_filters;
    search.stopped = [] { return interrupt_requested(); };
    search.told = [&](const CapacityStep& step) {
      if (!tells) return;
      fmt::print("{}\n", line(step));
      std::fflush(stdout);
    };
    search.measure = [&](std::size_t filters) {
      return measure_step(config, noise_filters(filters, arguments.taps), Routing::bank(1, filters),
                          arguments.limit, search.stopped);
    };
    const std::vector<CapacityStep> steps = find_capacity(search);
    const std::size_t capacity = capacity_of(steps);
    if (tells && !interrupt_requested()) {
      fmt::print("{}: {}{} in time\n", name, counted(capacity, "filter"),
                 capacity == arguments.most_filters ? " (--most) and maybe more" : "");
    }
    report["backends"].push_back(to_json(name, steps));
  }
  arguments.json.finish(report);
  return interrupt_requested() ? kExitInterrupted : kExitDone;
}

}  // namespace

void add_demo_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("demo", "Show how much this machine can do");
  const auto arguments = std::make_shared<Arguments>();
  EngineConfig& config = arguments->config;
  command
      ->add_option("NAME", arguments->name,
                   "capacity: add filters until blocks come too late, and draw it")
      ->type_name("")
      ->required()
      ->check(one_of({"capacity"}));
  command->add_option("--block", config.block_frames, "Frames a block (64), 1 to 65536")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command->add_option("--taps", arguments->taps, "Taps of each filter (9600), 1 to 1000000")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000));
  command->add_option("--rate", config.sample_rate_hz, "Sample rate (48000)")
      ->type_name("HZ")
      ->check(positive_number());
  command->add_option("--threads", config.threads, "Threads that compute (1), 1 to 64")
      ->type_name("N")
      ->check(whole_number(1, 64));
  command
      ->add_option("--backend", arguments->backend,
                   "Only this one; unless given, the best of the CPU and each GPU")
      ->type_name("NAME");
  command->add_option("--most", arguments->most_filters, "Most filters to try (4096), 1 to 65536")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command
      ->add_option("--seconds", arguments->limit.seconds,
                   "Seconds of blocks a step (0.5): 334 to 2000 blocks")
      ->type_name("S")
      ->check(number(0.001, 60));
  arguments->json.add_to(*command, "every step");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
