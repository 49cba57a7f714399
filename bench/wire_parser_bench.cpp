// Packets of 16-bit samples out of bytes, by channels, frames of a packet, and the bytes that come
// at a time: a segment of TCP, or what a receiver reads at once. Items are samples of all channels.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "io/wire_format.hpp"
#include "io/wire_parser.hpp"

namespace {

using namespace firbank;

std::span<const unsigned char> bytes_of(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

/// Feeds all of `rest`, `most` bytes at a time; returns the packets that were complete.
std::size_t feed(WireParser& parser, std::span<const unsigned char> rest, std::size_t most) {
  std::size_t packets = 0;
  while (!rest.empty()) {
    std::span<const unsigned char> piece = rest.first(std::min(most, rest.size()));
    rest = rest.subspan(piece.size());
    while (!piece.empty()) packets += parser.feed(piece) == WireParser::Event::kPacket ? 1 : 0;
  }
  return packets;
}

void parse(benchmark::State& state) {
  StreamHeader header;
  header.channels = static_cast<std::size_t>(state.range(0));
  header.packet_frames = static_cast<std::size_t>(state.range(1));
  const auto most = static_cast<std::size_t>(state.range(2));
  const std::vector<std::int16_t> samples(header.channels * header.packet_frames, 100);
  Packet packet;
  packet.frames = header.packet_frames;
  packet.samples = samples.data();
  const std::string start = encode(header);
  const std::string bytes = encode(header, packet);
  WireParser parser("packets");
  feed(parser, bytes_of(start), start.size());
  for (auto _ : state) {
    if (feed(parser, bytes_of(bytes), most) != 1) state.SkipWithError("a packet was not complete");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(samples.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

void axes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"channels", "frames", "bytes"});
  for (const std::int64_t bytes : {1'460, 65'536}) {
    b->Args({2, 64, bytes})->Args({384, 32, bytes})->Args({384, 300, bytes});
  }
}
BENCHMARK(parse)->Apply(axes);

}  // namespace
