#include "demos/firbank/serve_ways.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "demos/firbank/interrupt.hpp"
#include "io/error.hpp"
#include "io/packet_pipe.hpp"
#include "io/shared_ring.hpp"
#include "io/tcp_sink.hpp"
#include "io/tcp_source.hpp"
#include "io/zeromq_packets.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kRingBytes = std::size_t{64} << 20;
constexpr std::chrono::seconds kConnect(10);

std::unique_ptr<PacketSource> open_source_of(const PacketWay& way, const WireExpectation& expected,
                                             std::string& name) {
  switch (way.kind) {
    case PacketWay::Kind::kTcp: {
      TcpSourceOptions options;
      options.expected = expected;
      const TcpAddress address = parse_tcp_address(way.name);
      auto source =
          way.connects ? TcpSource::connect(address, options) : TcpSource::listen(address, options);
      name = fmt::format("tcp {} {}", way.connects ? "from" : "at", to_string(source->address()));
      return source;
    }
    case PacketWay::Kind::kSharedMemory: {
      SharedRingReaderOptions options;
      options.expected = expected;
      name = fmt::format("shared memory '{}'", way.name);
      return std::make_unique<SharedRingReader>(way.name, options);
    }
    case PacketWay::Kind::kZeromq: {
      ZeromqSourceOptions options;
      options.expected = expected;
      options.topic = way.topic;
      options.waits = !way.connects;
      name = fmt::format("ZeroMQ {} {}", way.connects ? "from" : "at", way.name);
      return subscribe_packets(way.name, options);
    }
    default:
      name = "standard input";
      return open_packets("-", expected);
  }
}

}  // namespace

std::unique_ptr<PacketSource> open_packet_source(const PacketWay& way,
                                                 const WireExpectation& expected,
                                                 std::string& name) {
  try {
    return open_source_of(way, expected, name);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", way.place, error.what()));
  }
}

std::unique_ptr<PacketSink> create_packet_sink(const PacketWay& way, const StreamHeader& header,
                                               std::string& name) {
  if (way.kind == PacketWay::Kind::kTcp && way.connects) {
    // Without a thread of its own, and a signal is to end the wait.
    const TcpAddress address = parse_tcp_address(way.name);
    name = fmt::format("tcp {}", to_string(address));
    return send_packets(address, header, kConnect);
  }
  const SignalsForMainThread guard;
  switch (way.kind) {
    case PacketWay::Kind::kTcp: {
      auto sink = std::make_unique<TcpSink>(parse_tcp_address(way.name), header);
      name = fmt::format("tcp {}", to_string(sink->address()));
      return sink;
    }
    case PacketWay::Kind::kSharedMemory: {
      const std::size_t packet_bytes = header.packet_frames * frame_bytes(header);
      name = fmt::format("shared memory '{}'", way.name);
      return std::make_unique<SharedRingWriter>(
          way.name, header,
          SharedRingOptions{.packets = std::clamp<std::size_t>(kRingBytes / packet_bytes, 8, 256)});
    }
    case PacketWay::Kind::kZeromq: {
      ZeromqSinkOptions options;
      options.topic = way.topic;
      options.connects = way.connects;
      auto sink = publish_packets(way.name, header, options);
      name = fmt::format("ZeroMQ {}", sink->endpoint());
      return sink;
    }
    default:
      name = "standard output";
      return create_packets("-", header);
  }
}

}  // namespace firbank::program
