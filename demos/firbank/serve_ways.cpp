#include "demos/firbank/serve_ways.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

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

constexpr double kQueueSeconds = 2;  // that a receiver may be busy with something else

double packets_a_second(const StreamHeader& header) {
  return header.sample_rate_hz / static_cast<double>(header.packet_frames);
}

std::size_t default_queue_bytes(const StreamHeader& header) {
  constexpr double kLeast = 8e6;
  constexpr double kMost = 4e9;
  const auto packet = static_cast<double>(header.packet_frames * frame_bytes(header));
  const double queue = kQueueSeconds * packets_a_second(header) * (packet + kPacketHeaderBytes);
  return static_cast<std::size_t>(std::clamp(queue, kLeast, kMost));
}

std::unique_ptr<PacketSource> open_source_of(const ServeSettings& serve,
                                             const WireExpectation& expected, std::string& name) {
  const PacketWay& way = serve.input;
  switch (way.kind) {
    case PacketWay::Kind::kTcp: {
      TcpSourceOptions options;
      options.expected = expected;
      options.idle = std::chrono::milliseconds(std::llround(serve.idle_seconds * 1'000));
      const TcpAddress address = parse_tcp_address(way.name);
      auto source =
          way.connects ? TcpSource::connect(address, options) : TcpSource::listen(address, options);
      name = fmt::format("tcp {} {}", way.connects ? "from" : "at", to_string(source->address()));
      return source;
    }
    case PacketWay::Kind::kSharedMemory: {
      SharedRingReaderOptions options;
      options.expected = expected;
      options.any_owner = way.any_owner;
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

std::unique_ptr<PacketSource> open_packet_source(const ServeSettings& serve,
                                                 const WireExpectation& expected,
                                                 std::string& name) {
  try {
    return open_source_of(serve, expected, name);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", serve.input.place, error.what()));
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
      TcpSinkOptions options;
      options.queue_bytes = way.queue_bytes > 0 ? way.queue_bytes : default_queue_bytes(header);
      auto sink = std::make_unique<TcpSink>(parse_tcp_address(way.name), header, options);
      name = fmt::format("tcp {}", to_string(sink->address()));
      return sink;
    }
    case PacketWay::Kind::kSharedMemory: {
      const std::size_t packet_bytes = header.packet_frames * frame_bytes(header);
      name = fmt::format("shared memory '{}'", way.name);
      SharedRingOptions options;
      options.packets = std::clamp<std::size_t>(kRingBytes / packet_bytes, 8, 256);
      options.group_may_read = way.group_may_read;
      return std::make_unique<SharedRingWriter>(way.name, header, options);
    }
    case PacketWay::Kind::kZeromq: {
      ZeromqSinkOptions options;
      options.topic = way.topic;
      options.connects = way.connects;
      options.high_water_mark = static_cast<int>(
          std::clamp(std::ceil(kQueueSeconds * packets_a_second(header)), 16.0, 1e6));
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
