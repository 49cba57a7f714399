#include "io/wire_parser.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/little_endian.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

/// Bytes that need not be text: all but plain ASCII as \xNN.
std::string visible(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte > 0x7e ? fmt::format("\\x{:02x}", byte) : printable({&c, 1});
  }
  return text;
}

}  // namespace

static_assert(kPacketHeaderBytes % sizeof(std::uint64_t) == 0, "samples follow aligned");

WireParser::WireParser(std::string what, WireExpectation expected)
    : what_(std::move(what)), expected_(expected) {}

WireParser::Event WireParser::feed(std::span<const unsigned char>& bytes) {
  if (!failure_.empty()) throw Error(ErrorKind::kInput, failure_);
  while (true) {
    switch (part_) {
      case Part::kFixedHeader: {
        const bool is_complete = collect(bytes, kFixedHeaderBytes);
        check_magic(kWireMagic);
        if (!is_complete) return Event::kNothing;
        read_fixed_header();
        part_ = Part::kText;
        break;
      }
      case Part::kText:
        if (!collect(bytes, kFixedHeaderBytes + unit_bytes_ + names_bytes_)) {
          return Event::kNothing;
        }
        read_text();
        begin_ += std::exchange(filled_, 0);
        has_header_ = true;
        part_ = Part::kPacketHeader;
        return Event::kHeader;
      case Part::kPacketHeader: {
        if (filled_ == 0) packet_ = {};
        const bool is_complete = collect(bytes, kPacketHeaderBytes);
        check_magic(kPacketMagic);
        if (!is_complete) return Event::kNothing;
        read_packet_header();
        part_ = Part::kSamples;
        break;
      }
      case Part::kSamples: {
        const std::size_t count = packet_.frames * frame_bytes(header_);
        if (!collect(bytes, kPacketHeaderBytes + count)) return Event::kNothing;
        auto* const samples = reinterpret_cast<unsigned char*>(words_.data()) + kPacketHeaderBytes;
        swap_little(samples, count, sample_bytes(header_.format.type));
        packet_.samples = samples;
        begin_ += std::exchange(filled_, 0);
        part_ = Part::kPacketHeader;
        return Event::kPacket;
      }
    }
  }
}

void WireParser::finish() const {
  if (!failure_.empty()) throw Error(ErrorKind::kInput, failure_);
  if (!has_header_) {
    fail(filled_, position() == 0 ? "it ends before its header begins"
                                  : fmt::format("it ends after {} bytes of its header", filled_));
  }
  if (filled_ > 0) {
    const std::size_t all = part_ == Part::kSamples
                                ? kPacketHeaderBytes + packet_.frames * frame_bytes(header_)
                                : kPacketHeaderBytes;
    fail(filled_, fmt::format("it ends inside of a packet, after {} of {}{} bytes", filled_,
                              part_ == Part::kSamples ? "" : "at least ", all));
  }
}

/// Takes bytes until `needed` of the part are there; false when they do not suffice.
bool WireParser::collect(std::span<const unsigned char>& bytes, std::size_t needed) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t taken = std::min(needed - filled_, bytes.size());
  const std::size_t words = (filled_ + taken + kWord - 1) / kWord;
  if (words_.size() < words) words_.resize(words);
  if (taken > 0) {
    std::memcpy(reinterpret_cast<unsigned char*>(words_.data()) + filled_, bytes.data(), taken);
  }
  filled_ += taken;
  bytes = bytes.subspan(taken);
  return filled_ == needed;
}

/// As soon as a byte differs: who speaks another protocol may never send as many as a header has.
void WireParser::check_magic(std::string_view magic) const {
  const std::size_t count = std::min(filled_, magic.size());
  const std::string_view got(reinterpret_cast<const char*>(words_.data()), count);
  if (got == magic.substr(0, count)) return;
  fail(0, fmt::format("the {} begins with '{}'; allowed: '{}'",
                      part_ == Part::kFixedHeader ? "stream" : "packet", visible(got),
                      visible(magic)));
}

void WireParser::read_fixed_header() {
  const unsigned char* const at = bytes_begin();
  const auto version = get_little(at + 8, 2);
  if (version != kWireVersion) {
    fail(8, fmt::format("version is {}; allowed: {}", version, kWireVersion));
  }
  const auto type = get_little(at + 10, 2);
  if (type > static_cast<std::uint64_t>(NativeType::kFloat64)) {
    fail(10,
         fmt::format("sample type is {}; allowed: 0 to 3 (int16, int32, float32, float64)", type));
  }
  header_.format.type = static_cast<NativeType>(type);
  header_.channels = get_little(at + 12, 4);
  header_.packet_frames = get_little(at + 16, 4);
  names_bytes_ = get_little(at + 20, 4);
  header_.sample_rate_hz = get_little_double(at + 24);
  header_.format.scale = get_little_double(at + 32);
  header_.format.offset = get_little_double(at + 40);
  header_.stream_id = get_little(at + 48, 8);
  unit_bytes_ = get_little(at + 56, 2);
  if (get_little(at + 58, 6) != 0) fail(58, "the last 6 bytes are not 0; allowed: 0");
  if (const auto fault = find_fault(header_)) fail(fault->byte, fault->what);
  if (unit_bytes_ > kMostUnitBytes) {
    fail(56, fmt::format("the unit has {} bytes; allowed: up to {}", unit_bytes_, kMostUnitBytes));
  }
  const std::size_t most = header_.channels * (1 + kMostNameBytes);
  if (names_bytes_ != 0 && (names_bytes_ < header_.channels || names_bytes_ > most)) {
    fail(20, fmt::format("the channel names have {} bytes; allowed for {} channels: 0, or {} to {}",
                         names_bytes_, header_.channels, header_.channels, most));
  }
  if (expected_.channels && *expected_.channels != header_.channels) {
    fail(12, fmt::format("channels is {}; expected: {}", header_.channels, *expected_.channels));
  }
  if (expected_.type && *expected_.type != header_.format.type) {
    fail(10, fmt::format("sample type is {}; expected: {}", name(header_.format.type),
                         name(*expected_.type)));
  }
  if (expected_.sample_rate_hz && !(std::abs(header_.sample_rate_hz - *expected_.sample_rate_hz) <=
                                    1e-6 * *expected_.sample_rate_hz)) {
    fail(24, fmt::format("rate is {}; expected: {}", header_.sample_rate_hz,
                         *expected_.sample_rate_hz));
  }
}

void WireParser::read_text() {
  const std::string_view text(reinterpret_cast<const char*>(words_.data()), filled_);
  header_.unit = text.substr(kFixedHeaderBytes, unit_bytes_);
  header_.channel_names.clear();
  if (names_bytes_ > 0) {
    std::size_t at = kFixedHeaderBytes + unit_bytes_;
    for (std::size_t channel = 0; channel < header_.channels; ++channel) {
      const std::size_t left = text.size() - at;
      const std::size_t length = left > 0 ? static_cast<unsigned char>(text[at]) : 0;
      if (left == 0 || length > left - 1) {
        fail(at, fmt::format("the name of channel {} goes beyond the {} bytes of names", channel,
                             names_bytes_));
      }
      header_.channel_names.emplace_back(text.substr(at + 1, length));
      at += 1 + length;
    }
    if (at != text.size()) {
      fail(at, fmt::format("{} bytes follow the name of the last channel; allowed: 0",
                           text.size() - at));
    }
  }
  if (const auto fault = find_fault(header_)) fail(fault->byte, fault->what);
}

void WireParser::read_packet_header() {
  const unsigned char* const at = bytes_begin();
  const auto flags = static_cast<std::uint32_t>(get_little(at + 4, 4));
  if ((flags & ~kWireFlags) != 0) {
    fail(4, fmt::format("the packet's flags are {:#x}; allowed: bits of {:#x}", flags, kWireFlags));
  }
  Packet packet;
  packet.flags = static_cast<BlockFlags>(flags);
  packet.sequence = get_little(at + 8, 8);
  packet.first_frame = static_cast<std::int64_t>(get_little(at + 16, 8));
  packet.timestamp_ns = static_cast<std::int64_t>(get_little(at + 24, 8));
  const auto frames = get_little(at + 32, 4);
  const auto count = get_little(at + 36, 4);
  const bool may_be_empty = has(packet.flags, BlockFlags::kEndOfStream);
  if (frames > header_.packet_frames || (frames == 0 && !may_be_empty)) {
    fail(32, fmt::format("the packet's frames are {}; allowed: {} to {}", frames,
                         may_be_empty ? 0 : 1, header_.packet_frames));
  }
  if (count != frames * frame_bytes(header_)) {
    fail(36, fmt::format("the packet's samples have {} bytes; {} frames of {} channels of {} have "
                         "{}",
                         count, frames, header_.channels, name(header_.format.type),
                         frames * frame_bytes(header_)));
  }
  constexpr std::int64_t kLastFrame = std::numeric_limits<std::int64_t>::max();
  if (packet.first_frame > kLastFrame - static_cast<std::int64_t>(frames)) {
    fail(16,
         fmt::format("the packet's first frame is {}; allowed with {} frames: up to {}",
                     packet.first_frame, frames, kLastFrame - static_cast<std::int64_t>(frames)));
  }
  packet.frames = frames;
  packet_ = packet;
}

void WireParser::fail(std::size_t byte, const std::string& why) const {
  failure_ = printable(fmt::format("{}: byte {}: {}", what_, begin_ + byte, why));
  throw Error(ErrorKind::kInput, failure_);
}

}  // namespace firbank
