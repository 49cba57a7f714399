// Continuity: which frames of a stream are missing, and which come again.
//
// The end of what has come is the highest frame yet. What begins beyond it leaves a gap; what
// begins before it comes again or too late, and moves nothing, so that one packet out of order is
// no gap after it. A packet marked kReset begins anew wherever it is.
//
// A counter that was set back, or one wrong index far ahead, would make every later packet one that
// comes again. So when nothing else has come for long enough, or when the first packet of a
// connection made anew lies behind, the next one begins anew and gets that mark.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "io/packet_endpoint.hpp"

namespace firbank {

class Continuity {
 public:
  /// A stream begins: what came before no longer counts, unless it is the same one (the ids agree,
  /// and are not 0) and has not said that it ends, as after a connection that broke. Then what was
  /// lost in between is a gap.
  /// `most_again`: as many frames in a row may come again before the stream begins anew.
  void begin(std::uint64_t stream_id, std::int64_t most_again = kAny) noexcept;

  /// Sets the packet's gap_before, and kReset where it begins anew without saying so, and adds it
  /// to `stats` with whatever else has to be counted.
  void take(Packet& packet, PacketStats& stats) noexcept;

  /// The frame after the last; nothing before the first packet.
  std::optional<std::int64_t> expected_frame() const noexcept { return expected_frame_; }

  static constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();

 private:
  bool begins_anew(const Packet& packet) noexcept;

  std::uint64_t stream_id_ = 0;
  std::optional<std::int64_t> expected_frame_;
  std::optional<std::uint64_t> expected_sequence_;
  std::int64_t most_again_ = kAny;
  std::int64_t again_ = 0;  // frames that came again, since one that was new
  bool has_ended_ = false;
  bool is_first_of_return_ = false;  // the next packet, of a connection made anew
};

}  // namespace firbank
