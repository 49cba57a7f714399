// The stream on a wire: what a header and a packet consist of, and how they are written.
//
// One format serves pipes, TCP, ZeroMQ and the shared ring: a header, once, and then packets of
// interleaved samples, each with its place in the stream. All numbers are little-endian. The bytes
// are laid out in io/README.md; WireParser reads them.
//
// Thread: any; nothing here has a state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/block.hpp"
#include "io/native_samples.hpp"

namespace firbank {

inline constexpr std::string_view kWireMagic = "FBST\r\n\x1a\n";  // a text mode would change it
inline constexpr std::string_view kPacketMagic = "FBPK";
inline constexpr std::uint16_t kWireVersion = 1;
inline constexpr std::size_t kFixedHeaderBytes = 64;   // of the stream's header, before the names
inline constexpr std::size_t kPacketHeaderBytes = 40;  // before the samples

inline constexpr std::uint32_t kWireFlags = 0x7f;  // of BlockFlags, those that are sent

inline constexpr std::size_t kMostWireChannels = 65'536;
inline constexpr std::size_t kMostPacketFrames = 1'048'576;
inline constexpr std::size_t kMostPacketBytes = std::size_t{64} << 20;  // of samples
inline constexpr std::size_t kMostNameBytes = 64;
inline constexpr std::size_t kMostUnitBytes = 32;

/// A stored value v stands for v * scale + offset, in `unit`.
struct StreamHeader {
  NativeFormat format{NativeType::kInt16, false, 1, 0};  // interleaved
  std::size_t channels = 1;                              // 1 to 65,536
  double sample_rate_hz = 48'000.0;                      // above 0
  std::size_t packet_frames = 256;                       // the most that a packet has
  std::uint64_t stream_id = 0;                           // another one for each run; 0: unknown
  std::string unit;                                      // "uV"; up to 32 bytes
  std::vector<std::string> channel_names;                // none, or one a channel of up to 64 bytes
};

/// Samples and their place in the stream. Owns nothing.
struct Packet {
  std::uint64_t sequence = 0;     // counts the packets of a stream, from 0
  std::int64_t first_frame = 0;   // index in the stream
  std::int64_t timestamp_ns = 0;  // capture time of the first frame; 0 when unknown
  std::int64_t gap_before = 0;    // frames missing before it; known to receivers only
  BlockFlags flags = BlockFlags::kNone;
  std::size_t frames = 0;         // 0 only with kEndOfStream
  const void* samples = nullptr;  // frames * channels, interleaved, in the machine's byte order
};

std::size_t sample_bytes(NativeType type) noexcept;
const char* name(NativeType type) noexcept;  // "int16", "int32", "float32", "float64"

inline std::size_t frame_bytes(const StreamHeader& header) noexcept {
  return header.channels * sample_bytes(header.format.type);
}

/// What is wrong with a header: where its field lies, and "channels is 0; allowed: ...".
struct HeaderFault {
  std::size_t byte = 0;
  std::string what;
};
std::optional<HeaderFault> find_fault(const StreamHeader& header);

/// Throws: Error (kConfiguration) naming `what`, the field, its value and what is allowed.
void check(const StreamHeader& header, const char* what);

/// The header with these, of which each may be empty: then it stays as it was.
/// Throws: Error as check().
StreamHeader describe(const StreamHeader& header, const std::string& unit,
                      const std::vector<std::string>& channel_names, const char* what);

/// The header's bytes. It has been checked.
std::string encode(const StreamHeader& header);

/// The packet's bytes before its samples, 40 of them.
std::string encode_start(const StreamHeader& header, const Packet& packet);

/// All of the packet's bytes.
std::string encode(const StreamHeader& header, const Packet& packet);

/// Frames [first, first + frames) of the packet to planes[channel][0] on, in the header's unit.
/// Realtime: safe.
template <class Sample>
void to_planes(const StreamHeader& header, const Packet& packet, std::size_t first,
               std::size_t frames, Sample* const* planes) noexcept {
  from_native(header.format, packet.samples, header.channels, first, frames, planes);
}

}  // namespace firbank
