// Packets by ZeroMQ, published to whoever subscribes (PUB/SUB).
//
// A message has two parts: the topic, and either a stream's header or a packet, as on the wire
// (io/wire_format.hpp). The header is sent when somebody subscribes, and now and then again. A
// subscriber that is slower than the stream for longer than the high-water mark lasts loses
// packets, which its sequence numbers show; one that connects late misses what came before. ZeroMQ
// does not tell a subscriber that a publisher has died: it has nothing to read then.
//
// One publisher a topic. Nothing is encrypted and nobody is asked who he is.
//
// This is no part of libfirbank but a library beside it, firbank_zeromq, which links libzmq. Built
// without libzmq, both functions throw an Error that says so.
//
// Thread: read() and write() one at a time; stats() and status() any.  Realtime: no.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "io/packet_endpoint.hpp"
#include "io/wire_parser.hpp"

namespace firbank {

struct ZeromqSinkOptions {
  std::string topic = {};                 // up to 255 bytes
  int high_water_mark = 1'000;            // messages that may wait for a subscriber; 1 to 1,000,000
  std::uint64_t packets_a_header = 256;   // the header goes out again after so many; from 1 on
  bool connects = false;                  // to subscribers that wait, instead of waiting for them
  std::chrono::milliseconds linger{500};  // that the end of the sink may wait for what is under way
};

class ZeromqSink : public PacketSink {
 public:
  /// Where it is to be found: with the port that it has, if it was given "tcp://*:*".
  virtual const std::string& endpoint() const noexcept = 0;
};

/// Publishes at `endpoint`, such as "tcp://127.0.0.1:5555" or "ipc:///run/probe". A header without
/// a stream_id gets one, so that subscribers see a publisher begin anew. What ZeroMQ drops for a
/// subscriber is not known here; SinkStats::receivers are subscriptions.
/// Throws: Error (kConfiguration) naming the endpoint or option and why not.
std::unique_ptr<ZeromqSink> publish_packets(const std::string& endpoint, const StreamHeader& header,
                                            const ZeromqSinkOptions& options = {});

struct ZeromqSourceOptions {
  std::string topic = {};  // this one, and not those that begin with it
  WireExpectation expected = {};
  int high_water_mark = 1'000;  // messages that may wait here
  bool waits = false;           // for a publisher that connects, instead of connecting to one
  bool again = true;            // after the end of a stream another may come
};

/// Subscribes at `endpoint`, where a publisher is or may come to be. A message that is none is left
/// out and counted as a broken sender; the stream goes on.
/// Throws: Error (kConfiguration) naming the endpoint or option and why not.
std::unique_ptr<PacketSource> subscribe_packets(const std::string& endpoint,
                                                const ZeromqSourceOptions& options = {});

}  // namespace firbank
