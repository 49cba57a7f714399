// WireParser: a header and packets out of bytes that come in any pieces, from anybody.
//
// No size is believed: each is compared with its limit before anything is allocated or computed
// from it, and memory grows with what has come, not with what was promised. What is wrong is named
// with its position in bytes; after that nothing more can be read, since it is not known where the
// next packet begins.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/wire_format.hpp"

namespace firbank {

/// What a receiver takes; unset: whatever the format allows.
struct WireExpectation {
  std::optional<std::size_t> channels;
  std::optional<NativeType> type;
  std::optional<double> sample_rate_hz;  // to one part in a million
};

class WireParser {
 public:
  enum class Event { kNothing, kHeader, kPacket };

  /// `what` stands before every message: "tcp 127.0.0.1:4000".
  explicit WireParser(std::string what, WireExpectation expected = {});

  /// Takes bytes from the front of `bytes` up to the end of the header or of a packet, and says
  /// which of them is complete; kNothing when all bytes are taken and more are needed.
  /// Throws: Error (kInput) naming the position, the value and what is allowed; from then on the
  /// same again.
  Event feed(std::span<const unsigned char>& bytes);

  /// To be called where the bytes end. Throws: Error (kInput) when that is inside of a header or a
  /// packet.
  void finish() const;

  /// Of the stream; valid since kHeader.
  const StreamHeader& header() const noexcept { return header_; }

  /// The newest packet, until the next feed(). Its gap is not known here.
  const Packet& packet() const noexcept { return packet_; }

  bool has_header() const noexcept { return has_header_; }

  /// Whether a packet has begun and is not complete; packet() is it, as soon as its frames are
  /// known, and has 0 frames before.
  bool is_inside_packet() const noexcept { return has_header_ && filled_ > 0; }

  /// Bytes taken.
  std::uint64_t position() const noexcept { return begin_ + filled_; }

 private:
  enum class Part { kFixedHeader, kText, kPacketHeader, kSamples };

  bool collect(std::span<const unsigned char>& bytes, std::size_t needed);
  void check_magic(std::string_view magic) const;
  void read_fixed_header();
  void read_text();
  void read_packet_header();
  [[noreturn]] void fail(std::size_t byte, const std::string& why) const;

  const unsigned char* bytes_begin() const noexcept {
    return reinterpret_cast<const unsigned char*>(words_.data());
  }

  std::string what_;
  WireExpectation expected_;
  StreamHeader header_;
  Packet packet_;
  Part part_ = Part::kFixedHeader;
  bool has_header_ = false;
  std::size_t unit_bytes_ = 0;
  std::size_t names_bytes_ = 0;
  std::vector<std::uint64_t> words_;  // the header or packet that is being read; samples aligned
  std::size_t filled_ = 0;            // bytes of it
  std::uint64_t begin_ = 0;           // where it lies in the stream
  mutable std::string failure_;
};

}  // namespace firbank
