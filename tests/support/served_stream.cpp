#include "tests/support/served_stream.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "io/wire_parser.hpp"
#include "tests/support/program_files.hpp"

namespace firbank::test {

StreamHeader input_header(std::uint64_t stream_id, std::size_t channels) {
  StreamHeader header;
  header.format = {NativeType::kInt16, false, kServedScale, 0};
  header.channels = channels;
  header.sample_rate_hz = 1'000;
  header.packet_frames = kServedPacket;
  header.stream_id = stream_id;
  return header;
}

std::vector<std::int16_t> input_samples(std::size_t frames, std::size_t channels) {
  const Signal signal = noise(channels, frames, 3, 1'000.0);
  std::vector<std::int16_t> samples;
  for (std::size_t n = 0; n < frames; ++n) {
    for (std::size_t c = 0; c < channels; ++c) {
      samples.push_back(static_cast<std::int16_t>(signal[c][n]));
    }
  }
  return samples;
}

Packet packet_of(const std::vector<std::int16_t>& samples, std::size_t number,
                 std::size_t channels) {
  Packet packet;
  packet.sequence = number;
  packet.first_frame = static_cast<std::int64_t>(number * kServedPacket);
  packet.frames = kServedPacket;
  packet.samples = samples.data() + channels * number * kServedPacket;
  return packet;
}

std::string wire(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost,
                 std::size_t channels) {
  const StreamHeader header = input_header(1, channels);
  const std::size_t packets = samples.size() / channels / kServedPacket;
  std::string bytes = encode(header);
  for (std::size_t i = 0; i < packets; ++i) {
    if (std::count(lost.begin(), lost.end(), i) == 0) {
      bytes += encode(header, packet_of(samples, i, channels));
    }
  }
  Packet end;
  end.sequence = packets;
  end.first_frame = static_cast<std::int64_t>(packets * kServedPacket);
  end.flags = BlockFlags::kEndOfStream;
  return bytes + encode(header, end);
}

void Received::begin(const StreamHeader& started) {
  header = started;
  planes.assign(header.channels, {});
}

void Received::take(const Packet& packet) {
  has_ended = has(packet.flags, BlockFlags::kEndOfStream);
  if (packet.frames == 0) return;
  first_frames.push_back(packet.first_frame);
  packets.push_back(packet);
  packets.back().samples = nullptr;
  Signal part(planes.size(), std::vector<double>(packet.frames));
  std::vector<double*> pointers;
  for (auto& plane : part) pointers.push_back(plane.data());
  to_planes(header, packet, 0, packet.frames, pointers.data());
  for (std::size_t c = 0; c < part.size(); ++c) {
    planes[c].insert(planes[c].end(), part[c].begin(), part[c].end());
  }
}

Received parse(const std::string& bytes) {
  Received received;
  WireParser parser("test");
  std::span<const unsigned char> rest(reinterpret_cast<const unsigned char*>(bytes.data()),
                                      bytes.size());
  while (true) {
    switch (parser.feed(rest)) {
      case WireParser::Event::kNothing:
        return received;
      case WireParser::Event::kHeader:
        received.begin(parser.header());
        break;
      case WireParser::Event::kPacket:
        received.take(parser.packet());
        break;
    }
  }
}

Signal sent_signal(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost,
                   std::size_t channels) {
  const std::size_t frames = samples.size() / channels;
  Signal signal(channels, std::vector<double>(frames));
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t n = 0; n < frames; ++n) {
      if (std::count(lost.begin(), lost.end(), n / kServedPacket) != 0) continue;
      signal[c][n] = kServedScale * samples[channels * n + c];
    }
  }
  return signal;
}

Signal through_taps(const Signal& signal) {
  constexpr double kTaps[] = {0.5, 0.25, 0.125};
  const std::size_t frames = signal[0].size();
  Signal out(signal.size(), std::vector<double>(frames + 2));
  for (std::size_t c = 0; c < signal.size(); ++c) {
    for (std::size_t n = 0; n < frames; ++n) {
      for (std::size_t k = 0; k < 3; ++k) out[c][n + k] += kTaps[k] * signal[c][n];
    }
  }
  return out;
}

Signal expected(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost) {
  return through_taps(sent_signal(samples, lost));
}

std::string Serve::config(const std::string& serve, std::size_t channels) const {
  write_bytes(folder_.file("serve.toml"),
              fmt::format("[stream]\ninputs = {}\nrate = 1000\n[engine]\nblock = 32\n[[filter]]\n"
                          "name = \"f\"\ntaps = [0.5, 0.25, 0.125]\n[[preset]]\nname = \"p\"\n"
                          "filter = \"f\"\n{}",
                          channels, serve));
  return folder_.file("serve.toml");
}

std::vector<std::string> Serve::command(const std::string& serve, std::size_t channels) const {
  return {FIRBANK_PROGRAM, "serve", config(serve, channels), "--json", folder_.file("report.json")};
}

nlohmann::json Serve::report() const {
  return nlohmann::json::parse(read_bytes(folder_.file("report.json")));
}

std::string Serve::refusal(const std::string& serve) const {
  const ProgramResult result = run_program(command(serve));
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  return result.err;
}

}  // namespace firbank::test
