// TcpSource: packets from one sender at a time, over TCP: one that connects here, or one that is
// connected to.
//
// Who connects and says nothing, or nonsense, is let go of, counted and noted, and holds nobody up:
// of all who have connected, the first whose header is complete is the sender; where many wait,
// those who came first and have sent none make room. While its stream runs, others wait for a
// moment, since one that connects anew may come before the rest of its old connection is read, and
// are turned away then; the first of them is noted with its address. Only a sender that has been
// silent for long has to go when another one's header is complete. A sender that comes back with
// the same stream id goes on where it was, and what was lost between is a gap.
//
// Nothing is encrypted and nobody is asked who he is: listen on an address that only those reach
// who may send.
//
// Thread: read(), header(), packet() one at a time; stats() and status() any.  Realtime: no.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "io/packet_endpoint.hpp"
#include "io/packet_reader.hpp"

namespace firbank {

struct TcpSourceOptions {
  WireExpectation expected = {};
  SenderTimeouts timeouts = {};
  bool again = true;  // after a stream another may come; else the source ends with the first
  std::chrono::milliseconds refuse_after{1'000};  // that another sender may wait
  std::chrono::milliseconds idle{5'000};  // of silence, after which another takes over; 0: never
  std::chrono::milliseconds connect_timeout{2'000};  // of one attempt
  std::chrono::milliseconds retry{1'000};            // between two attempts
};

class TcpSource final : public PacketSource {
 public:
  /// Waits for senders at `address`. Throws: Error (kConfiguration) when it cannot listen there.
  static std::unique_ptr<TcpSource> listen(const TcpAddress& address,
                                           const TcpSourceOptions& options = {});

  /// Connects to `address`, in read(), which an attempt may hold up for connect_timeout; where
  /// nobody is, again and again unless `again` is false.
  static std::unique_ptr<TcpSource> connect(const TcpAddress& address,
                                            const TcpSourceOptions& options = {});

  /// With the port that it has. Thread: any.
  const TcpAddress& address() const noexcept { return address_; }

  PacketEvent read(std::chrono::milliseconds timeout) override;
  const StreamHeader& header() const noexcept override { return header_; }
  const Packet& packet() const noexcept override { return packet_; }
  PacketStats stats() const override { return tally_.snapshot(); }
  std::string status() const override;

 private:
  TcpSource(TcpAddress address, const TcpSourceOptions& options, Descriptor listener);

  struct Sender {
    Sender(Descriptor owned, std::string name, const TcpSourceOptions& options, PacketTally& tally)
        : connection(std::move(owned)),
          peer(std::move(name)),
          reader(connection.number(), "tcp " + peer, options.expected, options.timeouts, tally) {}
    Descriptor connection;
    std::string peer;
    PacketReader reader;
  };

  PacketEvent await_sender(Deadline deadline);
  bool accept_some();
  PacketEvent reach(Deadline deadline);
  bool hand_over();
  void refuse_others();

  TcpAddress address_;
  TcpSourceOptions options_;
  Descriptor listener_;  // none where this connects
  PacketTally tally_;
  std::list<Sender> senders_;  // the one whose stream runs; none or one
  std::list<Sender> waiting_;  // whose header is not complete
  StreamHeader header_;
  Packet packet_;
  Deadline next_attempt_{};
  Deadline refusal_ = Deadline::max();  // of others, when there are any
  bool has_noted_refusal_ = false;      // while this sender's stream runs
  bool is_start_due_ = false;           // of a sender that has taken over
  bool is_over_ = false;
};

}  // namespace firbank
