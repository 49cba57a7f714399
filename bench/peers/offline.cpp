// Measures one offline workload on request, so that a peer in another process may take turns with
// it.
//
//   peers_offline [--quick] WORKLOAD
//
// Reads a line a measurement from standard input: `firbank THREADS` or `fftw`. Answers each by one
// line of JSON: processor and wall seconds of one run, its error, and what it was planned as.
#include <algorithm>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/peers/fftw_offline.hpp"
#include "bench/peers/firbank_peer.hpp"
#include "bench/peers/machine_floor.hpp"
#include "bench/peers/noise.hpp"
#include "bench/peers/oracle.hpp"
#include "bench/peers/plan_view.hpp"
#include "bench/peers/planes.hpp"
#include "bench/peers/stopwatch.hpp"
#include "bench/peers/workload.hpp"
#include "engine/engine.hpp"

namespace {

using namespace peers;
using nlohmann::json;

constexpr double kLeastSeconds = 0.3;  // a measurement; short runs are repeated

class Worker {
 public:
  Worker(const OfflineWorkload& workload, bool quick)
      : workload_(workload),
        quick_(quick),
        filters_(filters_of(workload)),
        longest_(*std::max_element(workload.taps.begin(), workload.taps.end())),
        in_(workload.routing.inputs(), workload.frames),
        out_(workload.routing.outputs(), workload.frames + (workload.tails ? longest_ - 1 : 0)),
        oracle_(workload.routing, filters_, workload.frames, out_.frames()) {
    for (std::size_t c = 0; c < in_.channels(); ++c) {
      fill_noise(static_cast<std::uint32_t>(c), in_[c], in_.frames());
    }
  }

  json firbank(std::size_t threads) {
    std::unique_ptr<firbank::Engine> engine;
    json answer = measured([&] {
      engine.reset();
      firbank::EngineConfig config;
      config.goal = firbank::PlanGoal::kOffline;
      config.threads = threads;
      config.expected_frames = workload_.frames;
      engine = std::make_unique<firbank::Engine>(config, bank_of(filters_), workload_.routing);
      filter(*engine);
    });
    const firbank::PartitionPlan& plan = engine->plan();
    answer["plan"] = plan.describe();
    answer["backend"] = engine->backend();
    if (!machine_) machine_ = measure_machine(quick_);
    const Setting setting{workload_.routing, filters_, longest_, engine->max_frames()};
    // By frames, not seconds: a rate of one frame a second.
    const Floor floor = floor_of(plan, setting, 1, *machine_);
    const auto frames = static_cast<double>(workload_.frames);
    const double cpu = answer["cpu"].get<double>();
    answer["floor"] = {{"bytes", floor.bytes_per_second * frames},
                       {"flops", floor.flops_per_second * frames},
                       {"read_share", floor.read_seconds * frames / cpu},
                       {"flop_share", floor.flop_seconds * frames / cpu}};
    const auto bytes = static_cast<double>(plan.memory_samples * sizeof(float));
    answer["memory"] = {{"plan_bytes", bytes}, {"limit_bytes", memory_limit(plan, setting)}};
    answer["machine_two_threads"] = {{"reads", machine_->two_thread_reads(bytes / 2)},
                                     {"flops", machine_->two_thread_flops()}};
    return answer;
  }

  json fftw() {
    if (workload_.tails || workload_.routing.inputs() != filters_.size()) {
      throw std::runtime_error("the FFTW adapter wants a filter a channel, and no tails");
    }
    if (!fftw_) fftw_.emplace(longest_);
    json answer = measured([&] { fftw_->filter(in_, filters_, out_); });
    answer["plan"] = fmt::format("transforms of {}", fftw_->transform_frames());
    return answer;
  }

 private:
  void filter(firbank::Engine& engine) {
    const std::size_t call = engine.max_frames();
    for (std::size_t frame = 0; frame < in_.frames(); frame += call) {
      const std::vector<float*> in = in_.from(frame);
      const std::vector<float*> out = out_.from(frame);
      engine.process(in.data(), out.data(), std::min(call, in_.frames() - frame));
    }
    for (std::size_t frame = in_.frames(); frame < out_.frames();) {
      const std::vector<float*> out = out_.from(frame);
      const std::size_t done = engine.flush(out.data(), std::min(call, out_.frames() - frame));
      if (done == 0) break;
      frame += done;
    }
  }

  /// One run, or the mean of several.
  template <class Run>
  json measured(const Run& run) {
    double cpu = 0, wall = 0;
    int runs = 0;
    while (runs == 0 || (cpu < kLeastSeconds && !quick_)) {
      const double wall_begin = wall_seconds();
      const double cpu_begin = cpu_seconds();
      run();
      cpu += cpu_seconds() - cpu_begin;
      wall += wall_seconds() - wall_begin;
      ++runs;
    }
    Oracle::Check check(oracle_);
    check.add(out_.data(), 0, out_.frames());
    const double error = check.error();
    // What is left over from this run must not pass for the next one's.
    for (std::size_t c = 0; c < out_.channels(); ++c) {
      std::fill_n(out_[c], out_.frames(), 0.0f);
    }
    return {{"cpu", cpu / runs}, {"wall", wall / runs}, {"runs", runs}, {"error", error}};
  }

  const OfflineWorkload& workload_;
  bool quick_;
  std::vector<std::vector<float>> filters_;
  std::size_t longest_;
  Planes in_, out_;
  Oracle oracle_;
  std::optional<FftwOffline> fftw_;
  std::optional<MachineFloor> machine_;
};

int run(std::vector<std::string> arguments) {
  const bool quick = !arguments.empty() && arguments.front() == "--quick";
  if (quick) arguments.erase(arguments.begin());
  if (arguments.size() != 1) throw std::runtime_error("usage: peers_offline [--quick] WORKLOAD");
  for (OfflineWorkload& workload : offline_workloads()) {
    if (workload.name != arguments.front()) continue;
    if (quick) workload.frames /= 50;
    Worker worker(workload, quick);
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string who;
      std::size_t threads = 1;
      words >> who >> threads;
      std::cout << (who == "fftw" ? worker.fftw() : worker.firbank(threads)).dump() << std::endl;
    }
    return 0;
  }
  throw std::runtime_error("there is no offline workload '" + arguments.front() + "'");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    fmt::print(stderr, "peers_offline: {}\n", error.what());
    return 1;
  }
}
