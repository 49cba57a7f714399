// PacketReader: the packets of one stream, from a descriptor: a pipe, a file, or a connection.
//
// Thread: one at a time.  Realtime: no.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "io/packet_tally.hpp"
#include "io/socket.hpp"
#include "io/wire_parser.hpp"

namespace firbank {

/// How long a sender may take; 0: as long as it likes.
struct SenderTimeouts {
  std::chrono::milliseconds header{5'000};   // from the connection to the header's last byte
  std::chrono::milliseconds packet{10'000};  // from a packet's first byte to its last
  std::chrono::milliseconds idle{0};         // between packets
};

class PacketReader {
 public:
  /// Reads from `descriptor`, which stays the caller's; counts in `tally`, which must outlive this.
  PacketReader(int descriptor, std::string what, const WireExpectation& expected,
               const SenderTimeouts& timeouts, PacketTally& tally);

  /// kStopped when the stream has ended, or is broken off, which is counted and noted. kEnded when
  /// interrupted.
  PacketEvent read(Deadline deadline);

  const StreamHeader& header() const noexcept { return parser_.header(); }
  const Packet& packet() const noexcept { return packet_; }
  bool has_header() const noexcept { return parser_.has_header(); }

  /// When bytes came last, or this began.
  Deadline last_heard() const noexcept { return last_heard_; }

 private:
  PacketEvent read_on(Deadline deadline);
  bool fill(Deadline deadline, PacketEvent& event);
  void set_timer();

  int descriptor_;
  std::string what_;
  SenderTimeouts timeouts_;
  PacketTally& tally_;
  WireParser parser_;
  Packet packet_;
  std::vector<unsigned char> buffer_;
  std::span<const unsigned char> rest_;  // of the buffer, not parsed yet
  enum class Waiting { kForHeader, kForPacket, kForSamples } waiting_ = Waiting::kForHeader;
  Deadline timer_;
  Deadline last_heard_;
  bool has_ended_ = false;  // the sender said so
  bool is_over_ = false;
};

}  // namespace firbank
