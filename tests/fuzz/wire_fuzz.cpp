// The header and the packets of a stream, whole and in pieces.
#include <algorithm>
#include <vector>

#include "io/wire_parser.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using firbank::ErrorKind;
using firbank::Packet;
using firbank::StreamHeader;
using firbank::WireParser;
using firbank::fuzz::require;

namespace {

/// What a parser makes of the bytes: what it read, written again, and the message of its refusal.
struct Reading {
  std::string written;
  std::uint64_t packets = 0;
  std::string refusal;
};

Reading read_in_pieces(const std::uint8_t* data, std::size_t size, std::size_t piece) {
  Reading result;
  firbank::fuzz::parse_or_refuse(ErrorKind::kInput, "stream", [&] {
    WireParser parser("stream");
    try {
      for (std::size_t at = 0; at < size; at += piece) {
        std::span<const unsigned char> rest(data + at, std::min(piece, size - at));
        while (true) {
          const WireParser::Event event = parser.feed(rest);
          if (event == WireParser::Event::kNothing) break;
          const StreamHeader& header = parser.header();
          require(!firbank::find_fault(header), "a header that is taken has no fault");
          if (event == WireParser::Event::kHeader) {
            result.written += encode(header);
          } else {
            const Packet& packet = parser.packet();
            require(packet.frames <= header.packet_frames, "a packet has no more than it may");
            result.written += encode(header, packet);
            ++result.packets;
          }
        }
        require(rest.empty(), "all bytes are taken");
        require(parser.position() == at + std::min(piece, size - at), "and counted");
      }
      parser.finish();
    } catch (const firbank::Error& error) {
      result.refusal = error.what();
      throw;
    }
  });
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Reading whole = read_in_pieces(data, size, std::max<std::size_t>(size, 1));
  const Reading bytes = read_in_pieces(data, size, 1);
  const Reading pieces = read_in_pieces(data, size, 7);
  require(whole.written == bytes.written && whole.written == pieces.written,
          "pieces change nothing of what is read");
  require(whole.refusal.empty() == bytes.refusal.empty(), "nor whether it is refused");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  require(text.substr(0, whole.written.size()) == whole.written, "what is read is what was there");
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  std::vector<std::string> result;
  const double samples[6] = {1, -1, 0.5, 0, 1e300, -0.0};
  for (const NativeType type :
       {NativeType::kInt16, NativeType::kInt32, NativeType::kFloat32, NativeType::kFloat64}) {
    StreamHeader header;
    header.format.type = type;
    header.channels = 2;
    header.packet_frames = 3;
    header.unit = "mV";
    if (type != NativeType::kInt32) header.channel_names = {"left", "right"};
    std::string bytes = encode(header);
    for (std::uint64_t number = 0; number < 3; ++number) {
      Packet packet;
      packet.sequence = number;
      packet.first_frame = static_cast<std::int64_t>(number * 3);
      packet.frames = 3 - number;
      packet.samples = samples;
      bytes += encode(header, packet);
    }
    Packet end;
    end.flags = BlockFlags::kEndOfStream;
    result.push_back(bytes + encode(header, end));
  }
  return result;
}
