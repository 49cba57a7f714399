// PacketOrder: what a sink remembers of the packets that it sends: their numbers, and where the end
// of the stream lies when nobody says it.
//
// Thread: the writer's.
#pragma once

#include <cstdint>
#include <optional>

#include "io/wire_format.hpp"

namespace firbank {

class PacketOrder {
 public:
  /// The next packet, with its number.
  Packet number(const Packet& packet) noexcept {
    Packet numbered = packet;
    numbered.sequence = sent_++;
    end_frame_ = packet.first_frame + static_cast<std::int64_t>(packet.frames);
    has_ended_ = has_ended_ || has(packet.flags, BlockFlags::kEndOfStream);
    return numbered;
  }

  std::uint64_t sent() const noexcept { return sent_; }

  /// What says that the stream ends, to be sent as any packet is; nothing when one has said it.
  std::optional<Packet> end() const noexcept {
    if (has_ended_) return std::nullopt;
    Packet end;
    end.first_frame = end_frame_;
    end.flags = BlockFlags::kEndOfStream;
    return end;
  }

 private:
  std::uint64_t sent_ = 0;
  std::int64_t end_frame_ = 0;
  bool has_ended_ = false;
};

}  // namespace firbank
