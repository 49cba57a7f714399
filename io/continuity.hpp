// Continuity: which frames of a stream are missing, and which come again.
//
// The end of what has come is the highest frame yet. What begins beyond it leaves a gap; what
// begins before it comes again or too late, and moves nothing, so that one packet out of order is
// no gap after it. A packet marked kReset begins anew wherever it is.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "io/packet_endpoint.hpp"

namespace firbank {

class Continuity {
 public:
  /// A stream begins: what came before no longer counts, unless it is the same one (the ids agree,
  /// and are not 0), as after a connection that broke. Then what was lost in between is a gap.
  void begin(std::uint64_t stream_id) noexcept;

  /// Sets the packet's gap_before, and adds it to `stats` with whatever else has to be counted.
  void take(Packet& packet, PacketStats& stats) noexcept;

  /// The frame after the last; nothing before the first packet.
  std::optional<std::int64_t> expected_frame() const noexcept { return expected_frame_; }

 private:
  std::uint64_t stream_id_ = 0;
  std::optional<std::int64_t> expected_frame_;
  std::optional<std::uint64_t> expected_sequence_;
};

}  // namespace firbank
