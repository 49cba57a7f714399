// PacketTally: what a packet source counts, where other threads may look.
//
// Thread: snapshot(): any. The rest: the reader's.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "io/continuity.hpp"
#include "io/packet_endpoint.hpp"
#include "io/rate_meter.hpp"

namespace firbank {

class PacketTally {
 public:
  /// A stream begins.
  void begin(const StreamHeader& header);

  /// A packet has come; sets its gap_before.
  void take(Packet& packet);

  /// The reader was too slow: `packet`, which was taken last, has its gap for this reason.
  void miss(const Packet& packet);

  /// A sender is let go of, for this reason.
  void drop(const std::string& why);

  /// A packet has begun and will not end; one of 0 frames had not come as far as to say its place.
  void truncate(const Packet& packet);

  /// A sender is turned away because there is one.
  void refuse();

  /// Something is wrong that is no sender's fault.
  void note(const std::string& why);

  PacketStats snapshot() const;

 private:
  mutable std::mutex mutex_;
  Continuity continuity_;
  PacketStats stats_;
  RateMeter rate_;
};

}  // namespace firbank
