// probe send: packets of a simulated probe over TCP, late and lost as the seed has it.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "demos/probe/commands.hpp"
#include "demos/probe/probe_signal.hpp"
#include "demos/probe/truth_file.hpp"
#include "engine/filter_files.hpp"
#include "io/packet_pipe.hpp"

namespace firbank::probe {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  ProbeConfig probe;
  std::string to;
  std::string filter;
  std::string spikes;
  std::string losses;
  double seconds = 60;
  double speed = 1;  // times real time; 0: as fast as it goes
  std::size_t packet_frames = 300;
  double loss = 0.002;
  double jitter_ms = 2;
};

/// Which packets are lost: bursts, so that some gaps are longer than a packet.
class Losses {
 public:
  Losses(double share, std::uint64_t seed) : share_(share), random_(seed, 1) {}
  bool next() {
    constexpr double kStays = 0.3;  // that the next one is lost as well
    was_lost_ = random_.uniform() < (was_lost_ ? kStays : share_ * (1 - kStays));
    return was_lost_;
  }

 private:
  double share_;
  Xoshiro256 random_;
  bool was_lost_ = false;
};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Another one for each run, whatever the seed: what comes is another stream.
std::uint64_t run_id() {
  std::random_device random;
  std::uint64_t id = 0;
  while (id == 0) id = std::uint64_t{random()} << 32 | random();
  return id;
}

class Sender {
 public:
  explicit Sender(const Arguments& arguments)
      : arguments_(arguments),
        signal_(arguments.probe),
        losses_(arguments.loss, arguments.probe.seed),
        jitter_(arguments.probe.seed, 2),
        sink_(send_packets(parse_tcp_address(arguments.to), header(), std::chrono::seconds(30))) {}

  int run() {
    const Clock::time_point start = Clock::now();
    const auto total =
        static_cast<std::int64_t>(arguments_.seconds * arguments_.probe.sample_rate_hz);
    while (signal_.position() < total) {
      const auto frames = static_cast<std::size_t>(std::min<std::int64_t>(
          total - signal_.position(), static_cast<std::int64_t>(arguments_.packet_frames)));
      send_one(frames, start, signal_.position() + static_cast<std::int64_t>(frames) == total);
    }
    sink_->finish();
    write_truth();
    fmt::print("sent {} packets, {} frames; lost {} gaps, {} frames; {} spikes; {:.1f} s\n",
               sink_->stats().packets, total, lost_.size(), lost_frames_, spike_count_,
               std::chrono::duration<double>(Clock::now() - start).count());
    return 0;
  }

 private:
  StreamHeader header() const {
    StreamHeader header;
    header.format = {NativeType::kInt16, false, arguments_.probe.step_uv, 0};
    header.channels = arguments_.probe.channels;
    header.sample_rate_hz = arguments_.probe.sample_rate_hz;
    header.packet_frames = arguments_.packet_frames;
    header.stream_id = run_id();
    header.unit = "uV";
    return header;
  }

  void send_one(std::size_t frames, Clock::time_point start, bool is_last) {
    Packet packet;
    packet.first_frame = signal_.position();
    packet.frames = frames;
    const std::size_t spikes_before = spikes_.size();
    signal_.next(frames, samples_, spikes_);
    spike_count_ += spikes_.size() - spikes_before;
    if (arguments_.spikes.empty()) spikes_.clear();
    packet.samples = samples_.data();
    // Neither the first nor the last: what is missing outside of all packets is no gap.
    const bool is_lost = losses_.next() && packet.first_frame > 0 && !is_last;
    if (is_lost) return lose(packet);
    if (arguments_.speed > 0) pace(start);
    packet.timestamp_ns = now_ns() - std::llround(static_cast<double>(frames) * 1e9 /
                                                  arguments_.probe.sample_rate_hz);
    sink_->write(packet);
  }

  /// Until the packet's last frame was there, and somewhat longer: jitter.
  void pace(Clock::time_point start) {
    const double seconds = static_cast<double>(signal_.position()) /
                               arguments_.probe.sample_rate_hz / arguments_.speed +
                           arguments_.jitter_ms * 1e-3 * jitter_.uniform();
    std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(
                                              std::chrono::duration<double>(seconds)));
  }

  void lose(const Packet& packet) {
    lost_frames_ += packet.frames;
    const auto first = static_cast<double>(packet.first_frame);
    const auto frames = static_cast<double>(packet.frames);
    if (!lost_.empty() && lost_.back()[0] + lost_.back()[1] == first) {
      lost_.back()[1] += frames;
    } else {
      lost_.push_back({first, frames});
    }
  }

  void write_truth() const {
    std::vector<Row> rows;
    for (const Spike& spike : spikes_) {
      rows.push_back({static_cast<double>(spike.frame), static_cast<double>(spike.channel)});
    }
    if (!arguments_.spikes.empty()) write_table(arguments_.spikes, rows, 2);
    if (!arguments_.losses.empty()) write_table(arguments_.losses, lost_, 2);
  }

  const Arguments& arguments_;
  ProbeSignal signal_;
  Losses losses_;
  Xoshiro256 jitter_;
  std::unique_ptr<PacketSink> sink_;
  std::vector<std::int16_t> samples_;
  std::vector<Spike> spikes_;  // none, unless they are to be written
  std::size_t spike_count_ = 0;
  std::vector<Row> lost_;  // first frame, frames
  std::size_t lost_frames_ = 0;
};

int run(Arguments& arguments) {
  if (!arguments.filter.empty()) {
    const FilterBank bank = load_filters({arguments.filter});
    arguments.probe.filter.assign(bank.taps(0).begin(), bank.taps(0).end());
  }
  return Sender(arguments).run();
}

}  // namespace

void add_send_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("send", "Send packets to firbank serve");
  const auto arguments = std::make_shared<Arguments>();
  ProbeConfig& probe = arguments->probe;
  command->add_option("HOST:PORT", arguments->to, "Where they go")->required();
  command->add_option("--filter", arguments->filter,
                      "The filter behind which --snr is meant: a file of firbank design");
  command->add_option("--channels", probe.channels, "Channels (384)")->check(CLI::Range(5, 4'096));
  command->add_option("--seconds", arguments->seconds, "Length of the stream (60)")
      ->check(CLI::Range(0.1, 1e6));
  command->add_option("--speed", arguments->speed, "Times real time (1); 0: as fast as it goes")
      ->check(CLI::Range(0.0, 1e6));
  command->add_option("--packet", arguments->packet_frames, "Frames of a packet (300)")
      ->check(CLI::Range(1, 65'536));
  command->add_option("--loss", arguments->loss, "Share of packets that are lost (0.002)")
      ->check(CLI::Range(0.0, 0.9));
  command->add_option("--jitter-ms", arguments->jitter_ms, "Packets come up to so much late (2)")
      ->check(CLI::Range(0.0, 1e4));
  command->add_option("--snr", probe.peak_snr, "Peak of the spikes behind the filter (6)")
      ->check(CLI::Range(0.0, 1e3));
  command->add_option("--rate-hz", probe.firing_rate_hz, "Spikes a second of a unit (20)")
      ->check(CLI::Range(0.1, 200.0));
  command->add_option("--seed", probe.seed, "Of noise, spikes, losses and jitter (1)");
  command->add_option("--spikes", arguments->spikes, "Writes frame and channel of each, .npy");
  command->add_option("--losses", arguments->losses, "Writes first frame and frames, .npy");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::probe
