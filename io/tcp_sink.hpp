// TcpSink: packets to everybody who connects, over TCP.
//
// A receiver gets the header and then every packet written since it connected. Each has a queue of
// its own; one that stalls until its queue is full is let go of, counted with the frames that
// waited for it and their position; one that goes away is not counted as a loss. write() waits for
// no receiver: a thread sends what they take.
//
// Nothing is encrypted and nobody is asked who he is: listen on an address that only those reach
// who may receive.
//
// Thread: write() and finish() one at a time; stats() and status() any.  Realtime: no.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "io/packet_endpoint.hpp"
#include "io/socket.hpp"

namespace firbank {

struct TcpSinkOptions {
  std::size_t queue_bytes = std::size_t{8}
                            << 20;         // that may wait for a receiver, beside one packet
  std::size_t most_receivers = 16;         // others are turned away
  std::chrono::milliseconds drain{2'000};  // that finish() may take
};

class TcpSink final : public PacketSink {
 public:
  /// Throws: Error (kConfiguration) when the header is not allowed, or it cannot listen there.
  TcpSink(const TcpAddress& address, const StreamHeader& header,
          const TcpSinkOptions& options = {});
  ~TcpSink() override;
  TcpSink(const TcpSink&) = delete;
  TcpSink& operator=(const TcpSink&) = delete;

  /// With the port that it has. Thread: any.
  const TcpAddress& address() const noexcept;

  const StreamHeader& header() const noexcept override;
  bool describe(const std::string& unit, const std::vector<std::string>& channel_names) override;
  void write(const Packet& packet) override;
  void finish() override;
  SinkStats stats() const override;
  std::string status() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace firbank
