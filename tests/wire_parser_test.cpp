// The format on the wire: what is written is read back in any pieces, and what is wrong is named
// with its position.
#include "io/wire_parser.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"
#include "tests/support/packets.hpp"

namespace firbank {
namespace {

using packets_test::bytes_of;
using packets_test::is_whole;
using packets_test::small_header;
using testing::HasSubstr;
using Event = WireParser::Event;

std::span<const unsigned char> span_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

/// All events of `bytes`, which come in pieces as `next_piece` says.
template <class NextPiece>
std::vector<Event> events_of(WireParser& parser, std::string_view bytes, NextPiece next_piece) {
  std::vector<Event> events;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, next_piece());
    bytes.remove_prefix(piece.size());
    auto rest = span_of(piece);
    while (true) {
      const Event event = parser.feed(rest);
      if (event == Event::kNothing) break;
      events.push_back(event);
    }
    EXPECT_TRUE(rest.empty());
  }
  return events;
}

/// The message with which `bytes` are refused, by feed() or by finish(); empty when they are not.
std::string refusal(std::string_view bytes, const WireExpectation& expected = {}) {
  WireParser parser("in", expected);
  try {
    auto rest = span_of(bytes);
    while (parser.feed(rest) != Event::kNothing) {
    }
    parser.finish();
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
}

std::string with(std::string bytes, std::size_t at, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
  return bytes;
}

TEST(WireFormat, LaysTheHeaderOutAsDocumented) {
  StreamHeader header = small_header(2, 256);
  header.stream_id = 0x1122'3344'5566'7788;
  header.channel_names = {"a", "bc"};
  header.format = {NativeType::kFloat32, false, 0.5, -1};
  const std::string bytes = encode(header);
  ASSERT_EQ(bytes.size(), 64u + 2 + 5);
  EXPECT_EQ(bytes.substr(0, 8), "FBST\r\n\x1a\n");
  EXPECT_EQ(bytes.substr(8, 16), (std::string{1, 0, 2, 0, 2, 0, 0, 0, 0, 1, 0, 0, 5, 0, 0, 0}));
  EXPECT_EQ(bytes.substr(32, 16), (std::string("\0\0\0\0\0\0\xe0\x3f\0\0\0\0\0\0\xf0\xbf", 16)));
  EXPECT_EQ(bytes.substr(48, 8), "\x88\x77\x66\x55\x44\x33\x22\x11");
  EXPECT_EQ(bytes.substr(56), (std::string("\2\0\0\0\0\0\0\0uV\1a\2bc", 15)));
}

TEST(WireFormat, LaysAPacketOutAsDocumented) {
  const StreamHeader header = small_header(1, 8);
  const std::int16_t samples[] = {1, -2};
  Packet packet;
  packet.sequence = 3;
  packet.first_frame = -1;
  packet.timestamp_ns = 258;
  packet.flags = BlockFlags::kReset | BlockFlags::kLost;
  packet.frames = 2;
  packet.samples = samples;
  const std::string bytes = encode(header, packet);
  EXPECT_EQ(bytes, std::string("FBPK\x12\0\0\0\3\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
                               "\2\1\0\0\0\0\0\0\2\0\0\0\4\0\0\0\1\0\xfe\xff",
                               44));
}

TEST(WireFormat, SendsNoFlagsThatReceiversWouldRefuse) {
  const StreamHeader header = small_header(1, 8);
  const auto unknown = static_cast<BlockFlags>(1u << 20);
  const std::string bytes = bytes_of(header, 0, 1, 0, unknown | BlockFlags::kLost);
  EXPECT_EQ(bytes, bytes_of(header, 0, 1, 0, BlockFlags::kLost));
}

TEST(WireParser, ReadsBackInAnyPieces) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    StreamHeader header = small_header(1 + random() % 5, 1 + random() % 40);
    header.stream_id = random();
    header.sample_rate_hz = 0.001 + random();
    header.format.scale = random() % 2 == 0 ? -1.5 : 1e-3;
    header.format.offset = static_cast<double>(random() % 100);
    header.unit = std::string(random() % 33, 'u');
    if (random() % 2 == 0) {
      for (std::size_t c = 0; c < header.channels; ++c) {
        header.channel_names.push_back(std::string(random() % 65, static_cast<char>('a' + c)));
      }
    }
    std::string bytes = encode(header);
    std::vector<std::int64_t> firsts;
    for (std::uint64_t number = 0; number < 5; ++number) {
      firsts.push_back(static_cast<std::int64_t>(random()));
      bytes += bytes_of(header, firsts.back(), 1 + random() % header.packet_frames, number);
    }
    WireParser parser("in");
    std::size_t packets = 0;
    std::string_view left = bytes;
    while (!left.empty()) {
      const std::string_view piece = left.substr(0, 1 + random() % 100);
      left.remove_prefix(piece.size());
      auto rest = span_of(piece);
      for (Event event = parser.feed(rest); event != Event::kNothing; event = parser.feed(rest)) {
        if (event == Event::kHeader) {
          const StreamHeader& got = parser.header();
          EXPECT_EQ(encode(got), encode(header));
          EXPECT_EQ(got.channel_names, header.channel_names);
        } else {
          ASSERT_LT(packets, 5u);
          EXPECT_EQ(parser.packet().sequence, packets);
          EXPECT_EQ(parser.packet().first_frame, firsts[packets]);
          EXPECT_TRUE(is_whole(header, parser.packet()));
          ++packets;
        }
      }
    }
    EXPECT_EQ(packets, 5u);
    EXPECT_NO_THROW(parser.finish());
    EXPECT_EQ(parser.position(), bytes.size());
  }
}

TEST(WireParser, GivesEventsOneByOne) {
  const StreamHeader header = small_header();
  const std::string bytes = encode(header) + bytes_of(header, 0, 8, 0) + bytes_of(header, 8, 1, 1);
  for (const std::size_t piece : {std::size_t{1}, bytes.size()}) {
    WireParser parser("in");
    EXPECT_EQ(events_of(parser, bytes, [piece] { return piece; }),
              (std::vector{Event::kHeader, Event::kPacket, Event::kPacket}));
  }
}

TEST(WireParser, ConvertsToPlanesInTheUnit) {
  StreamHeader header = small_header(2, 4);
  header.format.offset = 10;
  const std::int16_t samples[] = {100, -100, 200, -200, 300, -300};
  Packet packet;
  packet.frames = 3;
  packet.samples = samples;
  double left[2], right[2];
  double* const planes[] = {left, right};
  to_planes(header, packet, 1, 2, planes);
  EXPECT_DOUBLE_EQ(left[0], 200 * 0.195 + 10);
  EXPECT_DOUBLE_EQ(right[1], -300 * 0.195 + 10);
}

TEST(WireParser, RefusesAnotherProtocolAtItsFirstByte) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n"),
            "in: byte 0: the stream begins with 'GET / HT'; allowed: 'FBST\\x0d\\x0a\\x1a\\x0a'");
  // Without waiting for a whole header: who speaks another protocol may never send as much.
  WireParser parser("in");
  auto one = span_of("G");
  EXPECT_THROW(parser.feed(one), Error);
  auto good = span_of("F");
  EXPECT_THROW(parser.feed(good), Error) << "once refused, always refused";
}

TEST(WireParser, NamesWhatIsWrongWithAHeader) {
  StreamHeader header = small_header(3, 8);
  header.channel_names = {"x", "yy", "zzz"};
  const std::string good = encode(header);
  ASSERT_EQ(refusal(good), "");
  const double nan = std::nan("");
  std::uint64_t nan_bits = 0;
  std::memcpy(&nan_bits, &nan, sizeof nan);
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {with(good, 8, 2, 2), "in: byte 8: version is 2; allowed: 1"},
      {with(good, 10, 4, 2), "in: byte 10: sample type is 4; allowed: 0 to 3"},
      {with(good, 12, 0, 4), "in: byte 12: channels is 0; allowed: 1 to 65536"},
      {with(good, 12, 0xffff'ffff, 4), "in: byte 12: channels is 4294967295; allowed: 1 to 65536"},
      {with(good, 16, 0, 4), "in: byte 16: packet frames is 0; allowed for 3 channels of int16"},
      {with(good, 16, 0xffff'ffff, 4), "in: byte 16: packet frames is 4294967295; allowed"},
      {with(with(good, 12, 65'536, 4), 16, 513, 4),
       "in: byte 16: packet frames is 513; allowed for 65536 channels of int16: 1 to 512"},
      {with(good, 20, 2, 4), "in: byte 20: the channel names have 2 bytes; allowed for 3 channels"},
      {with(good, 20, 0xffff'ffff, 4), "in: byte 20: the channel names have 4294967295 bytes"},
      {with(good, 24, nan_bits, 8), "in: byte 24: rate is nan; allowed: finite and above 0"},
      {with(good, 24, 0, 8), "in: byte 24: rate is 0; allowed: finite and above 0"},
      {with(good, 32, 0, 8), "in: byte 32: scale is 0; allowed: finite numbers but 0"},
      {with(good, 40, nan_bits, 8), "in: byte 40: offset is nan; allowed: finite numbers"},
      {with(good, 56, 33, 2), "in: byte 56: the unit has 33 bytes; allowed: up to 32"},
      {with(good, 60, 1, 1), "in: byte 58: the last 6 bytes are not 0"},
      {with(good, 64, 7, 1), "in: byte 64: unit is '\\x07V'; allowed: up to 32 bytes of text"},
      {with(good, 66, 2, 1), "the name of channel"},
      {with(good, 66, 65, 1),
       "in: byte 66: the name of channel 0 goes beyond the 9 bytes of names"},
      {with(good, 71, 2, 1), "in: byte 74: 1 bytes follow the name of the last channel"},
  };
  for (const auto& one : cases) EXPECT_THAT(refusal(one.bytes), HasSubstr(one.message));
}

TEST(WireParser, NamesWhatIsWrongWithAPacket) {
  const StreamHeader header = small_header(3, 8);
  const std::string start = encode(header) + bytes_of(header, 0, 8, 0);
  const std::size_t at = start.size();
  ASSERT_EQ(at, 66u + 40 + 48);
  const std::string good = start + bytes_of(header, 8, 8, 1);
  ASSERT_EQ(refusal(good), "");
  const struct {
    std::string bytes;
    const char* message;
  } cases[] = {
      {with(good, at, 'X', 1), "in: byte 154: the packet begins with 'XBPK'; allowed: 'FBPK'"},
      {with(good, at + 4, 128, 4), "in: byte 158: the packet's flags are 0x80; allowed"},
      {with(good, at + 32, 0, 4), "in: byte 186: the packet's frames are 0; allowed: 1 to 8"},
      {with(good, at + 32, 9, 4), "in: byte 186: the packet's frames are 9; allowed: 1 to 8"},
      {with(good, at + 32, 0xffff'ffff, 4), "in: byte 186: the packet's frames are 4294967295"},
      {with(good, at + 36, 32, 4),
       "in: byte 190: the packet's samples have 32 bytes; 8 frames of 3 channels of int16 have 48"},
      {with(good, at + 36, 0xffff'ffff, 4), "in: byte 190: the packet's samples have 4294967295"},
      {with(good, at + 16, 0x7fff'ffff'ffff'fffe, 8),
       "in: byte 170: the packet's first frame is 9223372036854775806; allowed with 8 frames"},
  };
  for (const auto& one : cases) EXPECT_THAT(refusal(one.bytes), HasSubstr(one.message));
}

TEST(WireParser, SaysWhereItWasTruncated) {
  const StreamHeader header = small_header(3, 8);
  const std::string all = encode(header) + bytes_of(header, 0, 8, 0);
  EXPECT_EQ(refusal(""), "in: byte 0: it ends before its header begins");
  EXPECT_EQ(refusal(all.substr(0, 10)), "in: byte 10: it ends after 10 bytes of its header");
  EXPECT_EQ(refusal(all.substr(0, 65)), "in: byte 65: it ends after 65 bytes of its header");
  EXPECT_EQ(refusal(all.substr(0, 66)), "");
  EXPECT_EQ(refusal(all.substr(0, 70)),
            "in: byte 70: it ends inside of a packet, after 4 of at least 40 bytes");
  EXPECT_EQ(refusal(all.substr(0, 110)),
            "in: byte 110: it ends inside of a packet, after 44 of 88 bytes");
  EXPECT_EQ(refusal(all), "");
}

TEST(WireParser, TakesOnlyWhatIsExpected) {
  const std::string bytes = encode(small_header(3, 8));
  EXPECT_EQ(refusal(bytes, {3, NativeType::kInt16, 30'000}), "");
  EXPECT_EQ(refusal(bytes, {4, {}, {}}), "in: byte 12: channels is 3; expected: 4");
  EXPECT_EQ(refusal(bytes, {{}, NativeType::kFloat32, {}}),
            "in: byte 10: sample type is int16; expected: float32");
  EXPECT_EQ(refusal(bytes, {{}, {}, 25'000}), "in: byte 24: rate is 30000; expected: 25000");
}

TEST(WireFormat, RefusesToSendWhatCannotBeRead) {
  const auto message = [](const StreamHeader& header) -> std::string {
    try {
      check(header, "out");
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
      return error.what();
    }
  };
  StreamHeader header = small_header(3, 8);
  EXPECT_EQ(message(header), "");
  header.channel_names = {"a", "b"};
  EXPECT_EQ(message(header), "out: there are 2 channel names; allowed: 0 or 3, one a channel");
  header.channel_names = {"a", "b", std::string(65, 'c')};
  EXPECT_THAT(message(header), HasSubstr("out: the name of channel 2 is 'ccc"));
  header.channel_names.clear();
  header.unit = "\n";
  EXPECT_EQ(message(header), "out: unit is '\\x0a'; allowed: up to 32 bytes of text");
  header = small_header(0, 8);
  EXPECT_EQ(message(header), "out: channels is 0; allowed: 1 to 65536");
  header = small_header(3, 8);
  header.format.is_planar = true;
  EXPECT_EQ(message(header), "out: the samples are planar; allowed: interleaved");
}

}  // namespace
}  // namespace firbank
