#include "io/continuity.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace firbank {
namespace {

/// a - b for a > b, or the largest number where that is none of 64 bits.
std::int64_t distance(std::int64_t a, std::int64_t b) noexcept {
  const std::uint64_t frames = static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b);
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(frames, static_cast<std::uint64_t>(kMost)));
}

}  // namespace

void Continuity::begin(std::uint64_t stream_id, std::int64_t most_again) noexcept {
  is_first_of_return_ = stream_id != 0 && stream_id == stream_id_ && !has_ended_;
  has_ended_ = false;
  if (!is_first_of_return_) {
    expected_frame_.reset();
    expected_sequence_.reset();
  }
  stream_id_ = stream_id;
  most_again_ = most_again;
  again_ = 0;
}

bool Continuity::begins_anew(const Packet& packet) noexcept {
  if (!expected_frame_ || packet.frames == 0) return false;
  const auto frames = static_cast<std::int64_t>(packet.frames);
  const bool is_first_of_return = std::exchange(is_first_of_return_, false);
  const bool is_behind =
      packet.first_frame <= *expected_frame_ - frames && packet.first_frame < *expected_frame_;
  if (!is_behind || has(packet.flags, BlockFlags::kReset)) {
    again_ = 0;
    return false;
  }
  if (!is_first_of_return && again_ < most_again_) {
    again_ += frames;
    return false;
  }
  again_ = 0;
  return true;
}

void Continuity::take(Packet& packet, PacketStats& stats) noexcept {
  const auto frames = static_cast<std::int64_t>(packet.frames);
  packet.gap_before = 0;
  if (begins_anew(packet)) {
    packet.flags |= BlockFlags::kReset;
    expected_sequence_.reset();
    ++stats.restarts;
  }
  if (expected_sequence_ && packet.sequence > *expected_sequence_) {
    const std::uint64_t lost = packet.sequence - *expected_sequence_;
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    stats.lost_packets += std::min(lost, kMost - stats.lost_packets);
  }
  const bool is_last = packet.sequence == std::numeric_limits<std::uint64_t>::max();
  if (!is_last && (!expected_sequence_ || packet.sequence >= *expected_sequence_)) {
    expected_sequence_ = packet.sequence + 1;
  }
  if (!expected_frame_ || has(packet.flags, BlockFlags::kReset)) {
    expected_frame_ = packet.first_frame + frames;
  } else {
    if (packet.first_frame > *expected_frame_) {
      packet.gap_before = distance(packet.first_frame, *expected_frame_);
      stats.gaps.add(*expected_frame_, packet.gap_before);
    } else if (packet.first_frame < *expected_frame_ && frames > 0) {
      stats.backward.add(packet.first_frame,
                         std::min(frames, distance(*expected_frame_, packet.first_frame)));
    }
    expected_frame_ = std::max(*expected_frame_, packet.first_frame + frames);
  }
  has_ended_ = has_ended_ || has(packet.flags, BlockFlags::kEndOfStream);
  ++stats.packets;
  stats.frames += frames;
}

}  // namespace firbank
