#include "io/packet_tally.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "io/frame_time.hpp"

namespace firbank {

void PacketTally::begin(const StreamHeader& header) {
  const std::lock_guard lock(mutex_);
  // A second of packets that come again is no repetition but a counter that was set back.
  continuity_.begin(header.stream_id, std::llround(std::min(header.sample_rate_hz, 1e15)));
  rate_.reset();
  stats_.declared_rate_hz = header.sample_rate_hz;
  ++stats_.streams;
}

void PacketTally::take(Packet& packet) {
  const std::lock_guard lock(mutex_);
  continuity_.take(packet, stats_);
  rate_.take(saturating_sum(static_cast<std::int64_t>(packet.frames), packet.gap_before),
             std::chrono::steady_clock::now());
}

void PacketTally::miss(const Packet& packet) {
  const std::lock_guard lock(mutex_);
  stats_.missed.add(packet.first_frame - packet.gap_before, packet.gap_before);
}

void PacketTally::drop(const std::string& why) {
  const std::lock_guard lock(mutex_);
  ++stats_.broken;
  stats_.last_error = why;
}

void PacketTally::truncate(const Packet& packet) {
  const std::lock_guard lock(mutex_);
  const std::int64_t at =
      packet.frames > 0 ? packet.first_frame : continuity_.expected_frame().value_or(0);
  stats_.truncated.add(at, static_cast<std::int64_t>(packet.frames));
}

void PacketTally::refuse() {
  const std::lock_guard lock(mutex_);
  ++stats_.refused;
}

void PacketTally::note(const std::string& why) {
  const std::lock_guard lock(mutex_);
  stats_.last_error = why;
}

PacketStats PacketTally::snapshot() const {
  const std::lock_guard lock(mutex_);
  PacketStats stats = stats_;
  stats.rate_hz = rate_.rate_hz(std::chrono::steady_clock::now());
  return stats;
}

}  // namespace firbank
