// probe watch: some moments of some channels of what firbank serve puts out, as a file.
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "demos/probe/commands.hpp"
#include "demos/probe/truth_file.hpp"
#include "io/tcp_source.hpp"

namespace firbank::probe {
namespace {

struct Arguments {
  std::string from;
  std::string to;
  double begin_seconds = 5;
  double seconds = 0.2;
  std::size_t channels = 24;
};

/// Rows of a frame and the samples of the first channels in it.
int run(const Arguments& arguments) {
  TcpSourceOptions options;
  options.again = false;
  const auto source = TcpSource::connect(parse_tcp_address(arguments.from), options);
  std::vector<Row> rows;
  std::size_t columns = 0;
  std::vector<float> samples;
  while (true) {
    const PacketEvent event = source->read(std::chrono::seconds(1));
    if (event == PacketEvent::kStopped || event == PacketEvent::kEnded) break;
    if (event != PacketEvent::kPacket) continue;
    const StreamHeader& header = source->header();
    const Packet& packet = source->packet();
    columns = std::min(arguments.channels, header.channels);
    const std::int64_t begin = std::llround(arguments.begin_seconds * header.sample_rate_hz);
    const std::int64_t end = begin + std::llround(arguments.seconds * header.sample_rate_hz);
    if (packet.first_frame >= end) break;
    samples.resize(header.channels * packet.frames);
    std::vector<float*> planes(header.channels);
    for (std::size_t c = 0; c < planes.size(); ++c) planes[c] = &samples[c * packet.frames];
    to_planes(header, packet, 0, packet.frames, planes.data());
    for (std::size_t n = 0; n < packet.frames; ++n) {
      const std::int64_t frame = packet.first_frame + static_cast<std::int64_t>(n);
      if (frame < begin || frame >= end) continue;
      Row& row = rows.emplace_back(1, static_cast<double>(frame));
      for (std::size_t c = 0; c < columns; ++c) row.push_back(planes[c][n]);
    }
  }
  write_table(arguments.to, rows, columns + 1);
  return 0;
}

}  // namespace

void add_watch_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("watch", "Keep a moment of what firbank serve sends");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("HOST:PORT", arguments->from, "Of a filtered output")->required();
  command->add_option("FILE", arguments->to, "A .npy: frame, then the channels")->required();
  command->add_option("--from", arguments->begin_seconds, "Where it begins, in seconds (5)");
  command->add_option("--seconds", arguments->seconds, "How long it is (0.2)");
  command->add_option("--channels", arguments->channels, "How many, from the first on (24)");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::probe
