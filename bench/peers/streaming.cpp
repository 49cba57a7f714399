// Measures streams: firbank against every peer, in turn, in one process. Writes DIR/WORKLOAD.json
// and DIR/machine.json.
//
//   peers_streaming [--quick] DIR [WORKLOAD...]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/peers/feed.hpp"
#include "bench/peers/firbank_peer.hpp"
#include "bench/peers/machine_floor.hpp"
#include "bench/peers/median.hpp"
#include "bench/peers/oracle.hpp"
#include "bench/peers/peer.hpp"
#include "bench/peers/phase_timer.hpp"
#include "bench/peers/plan_view.hpp"
#include "bench/peers/stopwatch.hpp"
#include "bench/peers/workload.hpp"

namespace {

using namespace peers;
using nlohmann::json;

/// How long to measure.
struct Effort {
  double stretch_seconds = 0.4;
  int rounds = 7;
  double phase_seconds = 0.5;
  std::size_t phase_repeats = 20;
  double trial_seconds = 0.05;
};
constexpr Effort kQuick{0.002, 1, 0.001, 1, 0.0001};

/// Runs a fresh peer from frame 0 on and compares it with the oracle.
double check(Peer& peer, const Setting& setting, const Oracle& oracle) {
  Oracle::Check check(oracle);
  const std::size_t block = setting.block_frames;
  const Planes in(setting.routing.inputs(), block);
  const Planes out(setting.routing.outputs(), block);
  const Stretch& last = oracle.stretches().back();
  for (std::size_t frame = 0; frame < last.first_frame + last.frames; frame += block) {
    for (std::size_t c = 0; c < in.channels(); ++c) {
      for (std::size_t n = 0; n < block; ++n) {
        in[c][n] = noise(static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(frame + n));
      }
    }
    peer.process(in.data(), out.data());
    check.add(out.data(), frame, block);
  }
  return check.error();
}

/// Times one peer, stretch by stretch, with a clock of seconds.
class Runner {
 public:
  Runner(Peer& peer, const Setting& setting, double (*clock)(), double stretch_seconds)
      : peer_(peer), feed_(setting.routing, setting.block_frames), clock_(clock) {
    // At least a few turns of the longest partition of a non-uniform peer.
    std::size_t blocks = 4 * (8'192 / setting.block_frames + 1);
    double spent = timed(blocks);
    while (spent < stretch_seconds / 4) {
      blocks *= 2;
      spent = timed(blocks);
    }
    blocks_ = std::max<std::size_t>(
        static_cast<std::size_t>(static_cast<double>(blocks) * stretch_seconds / spent), 1);
  }

  /// Seconds a block over one stretch, after some blocks that fill the caches.
  double stretch() {
    feed_.run(peer_, blocks_ / 16 + 1);
    return timed(blocks_) / static_cast<double>(blocks_);
  }

  PhaseTimes phases(std::size_t cycle, const Effort& effort) {
    feed_.run(peer_, blocks_ / 16 + 1);
    return time_phases(cycle, effort.phase_repeats, effort.phase_seconds,
                       [this] { feed_.run(peer_); });
  }

 private:
  double timed(std::size_t blocks) {
    const double begin = clock_();
    feed_.run(peer_, blocks);
    return clock_() - begin;
  }

  Peer& peer_;
  Feed feed_;
  double (*clock_)();
  std::size_t blocks_ = 0;
};

json floor_json(const firbank::PartitionPlan& plan, const Setting& setting, double rate,
                const MachineFloor& machine, double x_realtime) {
  const Floor floor = floor_of(plan, setting, rate, machine);
  return {{"bytes_per_second", floor.bytes_per_second},
          {"flops_per_second", floor.flops_per_second},
          {"read_share", floor.read_seconds * x_realtime},
          {"flop_share", floor.flop_seconds * x_realtime}};
}

/// The least wall time of a block over many short stretches: a second core is not always free.
double least_wall_time(const Setting& setting, int threads, const Effort& effort) {
  FirbankPeer firbank(setting, threads);
  Runner runner(firbank, setting, wall_seconds, effort.stretch_seconds / 8);
  double least = std::numeric_limits<double>::infinity();
  for (int n = 0; n < 2 * effort.rounds; ++n) least = std::min(least, runner.stretch());
  return least;
}

/// Two threads by the wall clock, in times one thread. Each has the machine's caches for itself.
double two_thread_ratio(const Setting& setting, const Effort& effort) {
  double alone = std::numeric_limits<double>::infinity();
  double together = alone;
  for (int round = 0; round < 4; ++round) {
    alone = std::min(alone, least_wall_time(setting, 1, effort));
    together = std::min(together, least_wall_time(setting, 2, effort));
  }
  return alone / together;
}

json measure(const StreamWorkload& workload, const StreamRow& row, const Setting& setting,
             const Oracle& oracle, const MachineFloor& machine, const Effort& effort) {
  FirbankPeer firbank(setting, 1);
  const firbank::PartitionPlan& plan = firbank.engine().plan();
  std::vector<std::unique_ptr<Peer>> peers = make_zita_peers(setting);
  for (auto& peer : make_fftw_peers(setting)) peers.push_back(std::move(peer));

  json record{{"block_frames", row.block_frames},
              {"peer_figure", row.peer_figure},
              {"target", row.target},
              {"peers", json::array()}};
  record["error"] = check(firbank, setting, oracle);
  std::vector<double> errors;
  for (auto& peer : peers) errors.push_back(check(*peer, setting, oracle));

  const double block_seconds = static_cast<double>(row.block_frames) / workload.sample_rate_hz;
  Runner ours(firbank, setting, cpu_seconds, effort.stretch_seconds);
  std::vector<Runner> theirs;
  for (auto& peer : peers) theirs.emplace_back(*peer, setting, cpu_seconds, effort.stretch_seconds);
  std::vector<double> our_times;
  std::vector<std::vector<double>> their_times(peers.size()), ratios(peers.size());
  for (int round = 0; round < effort.rounds; ++round) {
    for (std::size_t p = 0; p < peers.size(); ++p) {
      our_times.push_back(ours.stretch());
      their_times[p].push_back(theirs[p].stretch());
      ratios[p].push_back(their_times[p].back() / our_times.back());
    }
  }
  const auto phases_json = [](const PhaseTimes& times) {
    return json{{"cycle", times.cycle},
                {"repeats", times.repeats},
                {"mean_us", times.mean_seconds * 1e6},
                {"worst_us", times.worst_seconds * 1e6}};
  };
  for (std::size_t p = 0; p < peers.size(); ++p) {
    json peer{{"name", peers[p]->name()},   {"detail", peers[p]->detail()},
              {"error", errors[p]},         {"x_realtime", block_seconds / median(their_times[p])},
              {"ratio", median(ratios[p])}, {"ratios", ratios[p]}};
    // The uniform peers do the same in every block.
    if (peers[p]->one_thread()) peer["phases"] = phases_json(theirs[p].phases(1, effort));
    record["peers"].push_back(peer);
  }
  const double x_realtime = block_seconds / median(our_times);
  record["x_realtime"] = x_realtime;
  record["mean_us"] = median(our_times) * 1e6;
  record["plan"] = plan.describe();
  record["backend"] = firbank.engine().backend();
  record["phases"] = phases_json(ours.phases(plan.cycle_frames() / row.block_frames, effort));
  record["floor"] = floor_json(plan, setting, workload.sample_rate_hz, machine, x_realtime);
  record["memory"] = {{"plan_bytes", plan.memory_samples * sizeof(float)},
                      {"limit_bytes", memory_limit(plan, setting)},
                      {"resident_growth", firbank.resident_growth()}};
  if (workload.two_threads) {
    // Peers keep threads and memory.
    theirs.clear();
    peers.clear();
    const auto bytes = static_cast<double>(plan.memory_samples * sizeof(float));
    record["two_threads"] = {{"ratio", two_thread_ratio(setting, effort)},
                             {"machine_reads", machine.two_thread_reads(bytes / 2)},
                             {"machine_flops", machine.two_thread_flops()}};
  }
  return record;
}

void write(const std::string& path, const json& record) {
  std::ofstream file(path);
  file << record.dump(1) << '\n';
  if (!file) throw std::runtime_error("cannot write " + path);
}

json machine_json(const MachineFloor& machine) {
  json reads = json::array();
  for (const firbank::ReadCeiling& read : machine.one.reads) {
    reads.push_back({{"bytes", read.bytes},
                     {"bytes_per_second", read.bytes_per_second},
                     {"two_threads", machine.two_thread_reads(read.bytes)}});
  }
  return {{"reads", reads},
          {"peak_flops", machine.one.peak_flops_per_second},
          {"two_threads_flops", machine.two_thread_flops()}};
}

int run(std::vector<std::string> arguments) {
  Effort effort;
  const bool quick = !arguments.empty() && arguments.front() == "--quick";
  if (quick) {
    effort = kQuick;
    arguments.erase(arguments.begin());
  }
  if (arguments.empty()) throw std::runtime_error("usage: peers_streaming [--quick] DIR [W1...]");
  const std::string folder = arguments.front();
  const MachineFloor machine = measure_machine(quick);
  write(folder + "/machine.json", machine_json(machine));
  for (StreamWorkload& workload : stream_workloads()) {
    const bool wanted = arguments.size() == 1 || std::find(arguments.begin() + 1, arguments.end(),
                                                           workload.name) != arguments.end();
    if (!wanted) continue;
    // Tiny sizes try the programs out; their figures mean nothing.
    if (quick) {
      workload.taps = std::min<std::size_t>(workload.taps, 20'000);
      workload.rows.erase(workload.rows.begin() + 1, workload.rows.end());
    }
    const std::vector<std::vector<float>> filters = filters_of(workload);
    const std::size_t checked = workload.taps + 40'000;
    const Oracle oracle(workload.routing, filters, checked, checked);
    json record{{"name", workload.name}, {"title", workload.title}, {"rows", json::array()}};
    for (const StreamRow& row : workload.rows) {
      const Setting setting{workload.routing, filters, workload.taps, row.block_frames,
                            effort.trial_seconds};
      record["rows"].push_back(measure(workload, row, setting, oracle, machine, effort));
      const json& done = record["rows"].back();
      fmt::print("{} block {}: firbank {:.4g} times real time\n", workload.name, row.block_frames,
                 done["x_realtime"].get<double>());
      for (const json& peer : done["peers"]) {
        fmt::print("  {:<18} {:>9.4g}   firbank is {:.2f} times as fast   ({})\n",
                   peer["name"].get<std::string>(), peer["x_realtime"].get<double>(),
                   peer["ratio"].get<double>(), peer["detail"].get<std::string>());
      }
      std::fflush(stdout);
    }
    write(folder + "/" + workload.name + ".json", record);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    fmt::print(stderr, "peers_streaming: {}\n", error.what());
    return 1;
  }
}
