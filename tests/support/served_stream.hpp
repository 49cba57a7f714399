// What tests of `firbank serve` send it and expect of it: a stream of packets of int16, a
// configuration with the taps {0.5, 0.25, 0.125} on every channel, and what comes of both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/reference.hpp"
#include "io/packet_endpoint.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {

inline constexpr double kServedScale = 0.5;
inline constexpr std::size_t kServedPacket = 50;  // frames

StreamHeader input_header(std::uint64_t stream_id = 1, std::size_t channels = 2);

/// Noise, interleaved.
std::vector<std::int16_t> input_samples(std::size_t frames, std::size_t channels = 2);

Packet packet_of(const std::vector<std::int16_t>& samples, std::size_t number,
                 std::size_t channels = 2);

/// A stream in bytes, without the packets that are named.
std::string wire(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost,
                 std::size_t channels = 2);

/// What came out, in the sender's unit.
struct Received {
  StreamHeader header;
  Signal planes;
  std::vector<std::int64_t> first_frames;  // of each packet
  std::vector<Packet> packets;             // their marks alone
  bool has_ended = false;

  void begin(const StreamHeader& started);
  void take(const Packet& packet);
};

Received parse(const std::string& bytes);

/// The input in its unit, 0 in the lost packets.
Signal sent_signal(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost,
                   std::size_t channels = 2);

/// Behind the filter, with its tail; 0 before the stream.
Signal through_taps(const Signal& signal);

/// The same of a stream of two channels.
Signal expected(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost);

class Serve : public testing::Test {
 protected:
  /// The path of a configuration with the keys of [serve].
  std::string config(const std::string& serve, std::size_t channels = 2) const;
  std::vector<std::string> command(const std::string& serve, std::size_t channels = 2) const;

  nlohmann::json report() const;

  /// One line on stderr, after exit code 2.
  std::string refusal(const std::string& serve) const;

  TemporaryFolder folder_;
};

}  // namespace firbank::test
