#include "io/wire_format.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/little_endian.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

// Where the fields of the stream's header lie.
constexpr std::size_t kChannelsAt = 12;
constexpr std::size_t kPacketFramesAt = 16;
constexpr std::size_t kRateAt = 24;
constexpr std::size_t kScaleAt = 32;
constexpr std::size_t kOffsetAt = 40;
constexpr std::size_t kUnitAt = kFixedHeaderBytes;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
}

std::optional<HeaderFault> find_text_fault(const StreamHeader& header) {
  if (header.unit.size() > kMostUnitBytes || !is_printable(header.unit)) {
    return HeaderFault{kUnitAt, fmt::format("unit is '{}'; allowed: up to {} bytes of text",
                                            one_line(header.unit), kMostUnitBytes)};
  }
  if (!header.channel_names.empty() && header.channel_names.size() != header.channels) {
    return HeaderFault{kUnitAt + header.unit.size(),
                       fmt::format("there are {} channel names; allowed: 0 or {}, one a channel",
                                   header.channel_names.size(), header.channels)};
  }
  std::size_t at = kUnitAt + header.unit.size();
  for (std::size_t channel = 0; channel < header.channel_names.size(); ++channel) {
    const std::string& text = header.channel_names[channel];
    if (text.size() > kMostNameBytes || !is_printable(text)) {
      return HeaderFault{at, fmt::format("the name of channel {} is '{}'; allowed: up to {} bytes "
                                         "of text",
                                         channel, one_line(text), kMostNameBytes)};
    }
    at += 1 + text.size();
  }
  return std::nullopt;
}

}  // namespace

std::size_t sample_bytes(NativeType type) noexcept {
  switch (type) {
    case NativeType::kInt16:
      return 2;
    case NativeType::kInt32:
    case NativeType::kFloat32:
      return 4;
    case NativeType::kFloat64:
      return 8;
  }
  return 8;
}

const char* name(NativeType type) noexcept {
  switch (type) {
    case NativeType::kInt16:
      return "int16";
    case NativeType::kInt32:
      return "int32";
    case NativeType::kFloat32:
      return "float32";
    case NativeType::kFloat64:
      return "float64";
  }
  return "unknown";
}

std::optional<HeaderFault> find_fault(const StreamHeader& header) {
  if (header.channels < 1 || header.channels > kMostWireChannels) {
    return HeaderFault{kChannelsAt, fmt::format("channels is {}; allowed: 1 to {}", header.channels,
                                                kMostWireChannels)};
  }
  const std::size_t most_frames =
      std::min(kMostPacketFrames, kMostPacketBytes / frame_bytes(header));
  if (header.packet_frames < 1 || header.packet_frames > most_frames) {
    return HeaderFault{
        kPacketFramesAt,
        fmt::format("packet frames is {}; allowed for {} channels of {}: 1 to {}",
                    header.packet_frames, header.channels, name(header.format.type), most_frames)};
  }
  if (!(std::isfinite(header.sample_rate_hz) && header.sample_rate_hz > 0)) {
    return HeaderFault{
        kRateAt, fmt::format("rate is {}; allowed: finite and above 0", header.sample_rate_hz)};
  }
  if (!(std::isfinite(header.format.scale) && header.format.scale != 0 &&
        std::isfinite(1 / header.format.scale))) {
    return HeaderFault{
        kScaleAt, fmt::format("scale is {}; allowed: finite numbers but 0", header.format.scale)};
  }
  if (!std::isfinite(header.format.offset)) {
    return HeaderFault{kOffsetAt,
                       fmt::format("offset is {}; allowed: finite numbers", header.format.offset)};
  }
  return find_text_fault(header);
}

void check(const StreamHeader& header, const char* what) {
  if (header.format.is_planar) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{}: the samples are planar; allowed: interleaved", what));
  }
  if (const auto fault = find_fault(header)) {
    throw Error(ErrorKind::kConfiguration, fmt::format("{}: {}", what, fault->what));
  }
}

StreamHeader describe(const StreamHeader& header, const std::string& unit,
                      const std::vector<std::string>& channel_names, const char* what) {
  StreamHeader described = header;
  if (!unit.empty()) described.unit = unit;
  if (!channel_names.empty()) described.channel_names = channel_names;
  check(described, what);
  return described;
}

std::string encode(const StreamHeader& header) {
  std::string names;
  for (const std::string& text : header.channel_names) {
    put_little(names, text.size(), 1);
    names += text;
  }
  std::string bytes(kWireMagic);
  put_little(bytes, kWireVersion, 2);
  put_little(bytes, static_cast<std::uint64_t>(header.format.type), 2);
  put_little(bytes, header.channels, 4);
  put_little(bytes, header.packet_frames, 4);
  put_little(bytes, names.size(), 4);
  put_little(bytes, header.sample_rate_hz);
  put_little(bytes, header.format.scale);
  put_little(bytes, header.format.offset);
  put_little(bytes, header.stream_id, 8);
  put_little(bytes, header.unit.size(), 2);
  put_little(bytes, 0, 6);
  return bytes + header.unit + names;
}

std::string encode_start(const StreamHeader& header, const Packet& packet) {
  std::string bytes(kPacketMagic);
  bytes.reserve(kPacketHeaderBytes);
  put_little(bytes, static_cast<std::uint32_t>(packet.flags) & kWireFlags, 4);
  put_little(bytes, packet.sequence, 8);
  put_little(bytes, static_cast<std::uint64_t>(packet.first_frame), 8);
  put_little(bytes, static_cast<std::uint64_t>(packet.timestamp_ns), 8);
  put_little(bytes, packet.frames, 4);
  put_little(bytes, packet.frames * frame_bytes(header), 4);
  return bytes;
}

std::string encode(const StreamHeader& header, const Packet& packet) {
  std::string bytes = encode_start(header, packet);
  const std::size_t count = packet.frames * frame_bytes(header);
  if (count == 0) return bytes;
  bytes.append(static_cast<const char*>(packet.samples), count);
  swap_little(reinterpret_cast<unsigned char*>(bytes.data()) + kPacketHeaderBytes, count,
              sample_bytes(header.format.type));
  return bytes;
}

}  // namespace firbank
