// Receives one stream over TCP and prints what it was, for wire_example_check.
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "io/tcp_source.hpp"

int main() {
  firbank::TcpSourceOptions once;
  once.again = false;
  const auto source = firbank::TcpSource::listen({"127.0.0.1", 0}, once);
  fmt::print("{}\n", source->address().port);
  std::fflush(stdout);
  double last = 0;
  while (true) {
    const firbank::PacketEvent event = source->read(std::chrono::seconds(60));
    if (event == firbank::PacketEvent::kStarted) continue;
    if (event != firbank::PacketEvent::kPacket) break;
    const firbank::StreamHeader& header = source->header();
    const firbank::Packet& packet = source->packet();
    if (packet.frames == 0) continue;
    std::vector<double> samples(header.channels);
    std::vector<double*> planes;
    for (double& sample : samples) planes.push_back(&sample);
    to_planes(header, packet, packet.frames - 1, 1, planes.data());
    last = samples.back();
  }
  const firbank::PacketStats stats = source->stats();
  if (stats.broken > 0 || stats.gaps.count > 0 || stats.backward.count > 0) {
    fmt::print("{}\n", source->status());
    return 1;
  }
  const firbank::StreamHeader& header = source->header();
  fmt::print("{} channels of {} at {} Hz in {}, {} packets, {} frames, the last sample {:.6g}\n",
             header.channels, name(header.format.type), header.sample_rate_hz, header.unit,
             stats.packets, stats.frames, last);
  return 0;
}
