// Streams of packets for tests: samples that follow from their frame, so that a frame in the wrong
// place or a torn packet shows.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/packet_endpoint.hpp"

namespace firbank::packets_test {

/// Long enough for any machine that is merely slow.
inline constexpr std::chrono::milliseconds kLong{60'000};
inline constexpr std::chrono::milliseconds kNone{0};

inline StreamHeader small_header(std::size_t channels = 3, std::size_t packet_frames = 8) {
  StreamHeader header;
  header.format = {NativeType::kInt16, false, 0.195, 0};
  header.channels = channels;
  header.sample_rate_hz = 30'000;
  header.packet_frames = packet_frames;
  header.unit = "uV";
  return header;
}

inline std::int16_t sample_of(std::int64_t frame, std::size_t channel) {
  const std::uint64_t mixed =
      (static_cast<std::uint64_t>(frame) + 1) * 0x9e37'79b9'7f4a'7c15u + channel * 40'503u;
  return static_cast<std::int16_t>(mixed >> 40);
}

/// A packet of int16 with samples of its own.
class SamplePacket {
 public:
  SamplePacket(const StreamHeader& header, std::int64_t first_frame, std::size_t frames) {
    for (std::size_t n = 0; n < frames; ++n) {
      for (std::size_t c = 0; c < header.channels; ++c) {
        samples_.push_back(sample_of(first_frame + static_cast<std::int64_t>(n), c));
      }
    }
    packet_.first_frame = first_frame;
    packet_.timestamp_ns = 1'000 + first_frame * 33'333;
    packet_.frames = frames;
  }
  SamplePacket& with_sequence(std::uint64_t sequence) {
    packet_.sequence = sequence;
    return *this;
  }
  SamplePacket& with_flags(BlockFlags flags) {
    packet_.flags = flags;
    return *this;
  }

  Packet packet() const {
    Packet packet = packet_;
    packet.samples = samples_.data();
    return packet;
  }
  operator Packet() const { return packet(); }

 private:
  std::vector<std::int16_t> samples_;
  Packet packet_;
};

/// The bytes of a packet whose sequence is given.
inline std::string bytes_of(const StreamHeader& header, std::int64_t first_frame,
                            std::size_t frames, std::uint64_t sequence,
                            BlockFlags flags = BlockFlags::kNone) {
  return encode(
      header,
      SamplePacket(header, first_frame, frames).with_sequence(sequence).with_flags(flags).packet());
}

inline std::string end_of(const StreamHeader& header, std::int64_t frame, std::uint64_t sequence) {
  return bytes_of(header, frame, 0, sequence, BlockFlags::kEndOfStream);
}

/// Whether samples and time are those of its frames.
inline bool is_whole(const StreamHeader& header, const Packet& packet) {
  const auto* at = static_cast<const std::int16_t*>(packet.samples);
  for (std::size_t n = 0; n < packet.frames; ++n) {
    for (std::size_t c = 0; c < header.channels; ++c) {
      if (*at++ != sample_of(packet.first_frame + static_cast<std::int64_t>(n), c)) return false;
    }
  }
  return packet.frames == 0 || packet.timestamp_ns == 1'000 + packet.first_frame * 33'333;
}

/// The next event but kNothing; kNothing after a minute.
inline PacketEvent next(PacketSource& source) {
  return source.read(kLong);
}

/// Reads on until the event, and checks packets on the way; false when another comes.
inline bool read_until(PacketSource& source, PacketEvent event) {
  while (true) {
    const PacketEvent got = source.read(kLong);
    if (got == event) return true;
    if (got != PacketEvent::kPacket) return false;
    if (!is_whole(source.header(), source.packet())) return false;
  }
}

}  // namespace firbank::packets_test
