// firbank serve: packets through pipes, TCP and shared memory, recordings, and the end of it.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "engine/reference.hpp"
#include "io/shared_ring.hpp"
#include "io/tcp_sink.hpp"
#include "io/wire_parser.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kScale = 0.5;
constexpr std::size_t kPacket = 50;

StreamHeader input_header(std::uint64_t stream_id = 1) {
  StreamHeader header;
  header.format = {NativeType::kInt16, false, kScale, 0};
  header.channels = 2;
  header.sample_rate_hz = 1'000;
  header.packet_frames = kPacket;
  header.stream_id = stream_id;
  return header;
}

/// Two channels of int16, interleaved.
std::vector<std::int16_t> input_samples(std::size_t frames) {
  const Signal signal = noise(2, frames, 3, 1'000.0);
  std::vector<std::int16_t> samples;
  for (std::size_t n = 0; n < frames; ++n) {
    for (std::size_t c = 0; c < 2; ++c) samples.push_back(static_cast<std::int16_t>(signal[c][n]));
  }
  return samples;
}

Packet packet_of(const std::vector<std::int16_t>& samples, std::size_t number) {
  Packet packet;
  packet.sequence = number;
  packet.first_frame = static_cast<std::int64_t>(number * kPacket);
  packet.frames = kPacket;
  packet.samples = samples.data() + 2 * number * kPacket;
  return packet;
}

/// A stream in bytes, without the packets that are named.
std::string wire(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost) {
  const StreamHeader header = input_header();
  const std::size_t packets = samples.size() / 2 / kPacket;
  std::string bytes = encode(header);
  for (std::size_t i = 0; i < packets; ++i) {
    if (std::count(lost.begin(), lost.end(), i) == 0)
      bytes += encode(header, packet_of(samples, i));
  }
  Packet end;
  end.sequence = packets;
  end.first_frame = static_cast<std::int64_t>(packets * kPacket);
  end.flags = BlockFlags::kEndOfStream;
  return bytes + encode(header, end);
}

struct Received {
  StreamHeader header;
  std::vector<std::vector<double>> planes;
  std::vector<std::int64_t> first_frames;
  bool has_ended = false;
};

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
        received.header = parser.header();
        received.planes.resize(received.header.channels);
        break;
      case WireParser::Event::kPacket: {
        const Packet& packet = parser.packet();
        received.has_ended = has(packet.flags, BlockFlags::kEndOfStream);
        if (packet.frames == 0) break;
        received.first_frames.push_back(packet.first_frame);
        Signal part(received.planes.size(), std::vector<double>(packet.frames));
        std::vector<double*> planes;
        for (auto& plane : part) planes.push_back(plane.data());
        to_planes(received.header, packet, 0, packet.frames, planes.data());
        for (std::size_t c = 0; c < part.size(); ++c) {
          received.planes[c].insert(received.planes[c].end(), part[c].begin(), part[c].end());
        }
        break;
      }
    }
  }
}

/// The taps {0.5, 0.25, 0.125} on both channels, 0 before the stream and in the lost packets.
Signal expected(const std::vector<std::int16_t>& samples, const std::vector<std::size_t>& lost) {
  const std::size_t frames = samples.size() / 2;
  Signal out(2, std::vector<double>(frames + 2));
  constexpr double kTaps[] = {0.5, 0.25, 0.125};
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t n = 0; n < frames; ++n) {
      if (std::count(lost.begin(), lost.end(), n / kPacket) != 0) continue;
      for (std::size_t k = 0; k < 3; ++k) out[c][n + k] += kTaps[k] * kScale * samples[2 * n + c];
    }
  }
  return out;
}

class Serve : public testing::Test {
 protected:
  std::string config(const std::string& serve) const {
    write_bytes(
        folder_.file("serve.toml"),
        "[stream]\ninputs = 2\nrate = 1000\n[engine]\nblock = 32\n[[filter]]\nname = \"f\"\n"
        "taps = [0.5, 0.25, 0.125]\n[[preset]]\nname = \"p\"\nfilter = \"f\"\n" +
            serve);
    return folder_.file("serve.toml");
  }

  std::vector<std::string> command(const std::string& serve) const {
    return {FIRBANK_PROGRAM, "serve", config(serve), "--json", folder_.file("report.json")};
  }

  nlohmann::json report() const {
    return nlohmann::json::parse(read_bytes(folder_.file("report.json")));
  }

  /// One line on stderr, after exit code 2.
  std::string refusal(const std::string& serve) const {
    const ProgramResult result = run_program(command(serve));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    return result.err;
  }

  TemporaryFolder folder_;
};

constexpr const char* kPipe =
    "[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"filtered\"\nto = \"-\"\n";

TEST_F(Serve, FiltersAPipe) {
  const auto samples = input_samples(1'000);
  const ProgramResult result = run_program(command(kPipe), wire(samples, {}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("firbank: ready: standard input, 2 channels at 1000 Hz"));
  const Received out = parse(result.out);
  EXPECT_TRUE(out.has_ended);
  EXPECT_EQ(out.header.format.type, NativeType::kFloat32);
  EXPECT_THAT(out.header.channel_names, ElementsAre("out-1", "out-2"));
  ASSERT_EQ(out.planes[0].size(), 1'002u);
  EXPECT_LE(relative_error(out.planes, expected(samples, {})), 1e-6);
  EXPECT_EQ(report()["losses"].size(), 0u);
}

TEST_F(Serve, TellsExactlyWhatWasLost) {
  const auto samples = input_samples(1'000);
  const std::vector<std::size_t> lost = {3, 4, 11};
  const ProgramResult result = run_program(command(kPipe), wire(samples, lost));
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, AllOf(HasSubstr("lost 100 frames from frame 150 (150 ms)\n"),
                                HasSubstr("150 frames in 2 gaps"),
                                HasSubstr("100 from frame 150 (150 ms), 50 from frame 550")));
  EXPECT_LE(relative_error(parse(result.out).planes, expected(samples, lost)), 1e-6);
  const nlohmann::json json = report();
  EXPECT_EQ(json["losses"], nlohmann::json::parse(R"([{"stream":1,"first_frame":150,"frames":100},
                                      {"stream":1,"first_frame":550,"frames":50}])"));
  EXPECT_EQ(json["input"]["gap_frames"], 150);
  EXPECT_EQ(json["engine"]["gap_frames"], 150);
}

TEST_F(Serve, RecordsRawAndFilteredSideBySide) {
  const auto samples = input_samples(1'000);
  const std::vector<std::size_t> lost = {7};
  const ProgramResult result = run_program(
      command("[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"raw\"\nto = \"raw.wav\"\n"
              "[[serve.output]]\nkind = \"filtered\"\nto = \"filtered.npy\"\n"),
      wire(samples, lost));
  EXPECT_EQ(result.exit_code, 4) << result.err;
  const Signal raw = read_signal(folder_.file("raw.wav"));
  ASSERT_EQ(raw[0].size(), 1'000u);
  for (std::size_t n = 0; n < 1'000; ++n) {
    ASSERT_EQ(raw[1][n], n / kPacket == 7 ? 0 : kScale * samples[2 * n + 1]) << n;
  }
  const Signal filtered = read_signal(folder_.file("filtered.npy"));
  EXPECT_LE(relative_error(filtered, expected(samples, lost)), 1e-6);
}

TEST_F(Serve, FindsEventsAndDecimates) {
  std::vector<std::int16_t> samples(2'000, 0);
  samples[2 * 400 + 1] = -2'000;
  samples[2 * 777] = -3'000;
  const ProgramResult result = run_program(
      command("[serve]\ninput = \"-\"\ndecimate = 4\n[serve.events]\nlevel = -100\npeak_ms = 5\n"
              "[[serve.output]]\nkind = \"events\"\nto = \"-\"\n"
              "[[serve.output]]\nkind = \"filtered\"\nto = \"slow.wav\"\n"),
      wire(samples, {}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const Received out = parse(result.out);
  EXPECT_THAT(out.header.channel_names, ElementsAre("frame", "crossing", "channel", "value"));
  ASSERT_EQ(out.planes[0].size(), 2u);
  EXPECT_THAT(out.planes[0], ElementsAre(400, 777));
  EXPECT_THAT(out.planes[2], ElementsAre(1, 0));
  EXPECT_THAT(out.planes[3], ElementsAre(-500, -750));
  const Signal slow = read_signal(folder_.file("slow.wav"));
  EXPECT_EQ(slow[0].size(), (1'002u + 3) / 4);
  EXPECT_EQ(report()["events"]["found"], 2);
}

TEST_F(Serve, ADiskThatIsFullStopsTheRecordingAndNothingElse) {
  const auto samples = input_samples(40'000);
  const std::string limited =
      R"(trap "" XFSZ; ulimit -f 64; exec "$0" serve "$1" --quiet)";  // 64 KiB a file
  const std::string path =
      config(std::string(kPipe) + "[[serve.output]]\nkind = \"filtered\"\nto = \"out.wav\"\n");
  const ProgramResult result = run_program(
      {"/usr/bin/env", "bash", "-c", limited, FIRBANK_PROGRAM, path}, wire(samples, {}));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("filtered output to "), HasSubstr("out.wav"),
                                HasSubstr("has stopped, all else goes on")));
  EXPECT_LE(relative_error(parse(result.out).planes, expected(samples, {})), 1e-6);
  // What had room is kept, and is right.
  const Signal kept = read_signal(folder_.file("out.wav"));
  ASSERT_GT(kept[0].size(), 4'000u);
  ASSERT_LT(kept[0].size(), 8'200u);
  EXPECT_LE(relative_error(kept, slice(expected(samples, {}), 0, kept[0].size())), 1e-6);
}

/// Feeds a server that connects here, and sees what it publishes in shared memory.
class ServeLive : public Serve {
 protected:
  ServeLive()
      : ring_(fmt::format("firbank-serve-test-{}", getpid())),
        reader_(ring_),
        sink_(std::make_unique<TcpSink>(TcpAddress{"127.0.0.1", 0}, input_header())),
        program_(
            command(fmt::format("[serve]\ninput = \"tcp://127.0.0.1:{}\"\nconnect = true\n"
                                "[[serve.output]]\nkind = \"raw\"\nto = \"raw.npy\"\n"
                                "[[serve.output]]\nkind = \"filtered\"\nto = \"filtered.wav\"\n"
                                "[[serve.output]]\nkind = \"filtered\"\nto = \"shm:{}\"\n",
                                sink_->address().port, ring_))) {
    await_receiver();
  }

  void await_receiver() const {
    for (int i = 0; i < 6'000 && sink_->stats().receivers == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_EQ(sink_->stats().receivers, 1u);
  }

  /// Until the filtered frame has come out.
  bool wait_for(std::int64_t frame) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < end) {
      if (reader_.read(std::chrono::milliseconds(100)) != PacketEvent::kPacket) continue;
      const Packet& packet = reader_.packet();
      if (packet.first_frame + static_cast<std::int64_t>(packet.frames) > frame) return true;
    }
    return false;
  }

  std::string ring_;
  SharedRingReader reader_;
  std::unique_ptr<TcpSink> sink_;
  RunningProgram program_;
};

TEST_F(ServeLive, StopsCleanlyWhenItIsTold) {
  const auto samples = input_samples(1'000);
  for (std::size_t i = 0; i < 20; ++i) {
    if (i != 9) sink_->write(packet_of(samples, i));
  }
  EXPECT_TRUE(wait_for(999));
  program_.send(SIGTERM);
  const ProgramResult result = program_.wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("50 frames in 1 gap before filtering: 50 from frame 450"));
  EXPECT_EQ(read_signal(folder_.file("raw.npy"))[0].size(), 1'000u);
  EXPECT_LE(relative_error(read_signal(folder_.file("filtered.wav")), expected(samples, {9})),
            1e-6);
  EXPECT_EQ(report()["interrupted"], true);
}

TEST_F(ServeLive, AnotherStreamBeginsAnewInFilesOfItsOwn) {
  const auto samples = input_samples(1'000);
  for (std::size_t i = 0; i < 20; ++i) sink_->write(packet_of(samples, i));
  sink_->finish();
  EXPECT_TRUE(wait_for(1'001));  // with the tail
  const TcpAddress address = sink_->address();
  sink_.reset();
  sink_ = std::make_unique<TcpSink>(address, input_header(2));
  await_receiver();
  for (std::size_t i = 0; i < 10; ++i) sink_->write(packet_of(samples, i));
  sink_->finish();
  EXPECT_TRUE(wait_for(501));
  program_.send(SIGINT);
  EXPECT_EQ(program_.wait().exit_code, 130);
  EXPECT_EQ(read_signal(folder_.file("raw.npy"))[0].size(), 1'000u);
  EXPECT_EQ(read_signal(folder_.file("raw-2.npy"))[0].size(), 500u);
  const Signal second = read_signal(folder_.file("filtered-2.wav"));
  const std::vector<std::int16_t> half(samples.begin(), samples.begin() + 1'000);
  EXPECT_LE(relative_error(second, expected(half, {})), 1e-6);
  EXPECT_EQ(report()["input"]["streams"], 2);
  EXPECT_EQ(report()["losses"].size(), 0u);
}

TEST_F(ServeLive, AStreamThatBreaksOffGoesOnWithWhatWasLostAsAGap) {
  const auto samples = input_samples(1'000);
  for (std::size_t i = 0; i < 8; ++i) sink_->write(packet_of(samples, i));
  EXPECT_TRUE(wait_for(399));
  const TcpAddress address = sink_->address();
  sink_.reset();  // without an end
  sink_ = std::make_unique<TcpSink>(address, input_header());
  await_receiver();
  for (std::size_t i = 11; i < 20; ++i) sink_->write(packet_of(samples, i));
  EXPECT_TRUE(wait_for(999));
  program_.send(SIGTERM);
  EXPECT_EQ(program_.wait().exit_code, 130);
  EXPECT_LE(
      relative_error(read_signal(folder_.file("filtered.wav")), expected(samples, {8, 9, 10})),
      1e-6);
  EXPECT_EQ(report()["losses"],
            nlohmann::json::parse(R"([{"stream":1,"first_frame":400,"frames":150}])"));
}

TEST_F(Serve, RefusesNamingLineAndKey) {
  const std::string output = "[[serve.output]]\nkind = \"raw\"\nto = \"-\"\n";
  EXPECT_THAT(refusal("[serve]\ninput = \"udp://x\"\n" + output),
              AllOf(HasSubstr("serve.toml, line 13, serve.input: it is 'udp://x'"),
                    HasSubstr("tcp://HOST:PORT, shm:NAME, zmq:ENDPOINT and - are allowed")));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n"), HasSubstr("there is no [[serve.output]]"));
  EXPECT_THAT(refusal("[serve]\n" + output), HasSubstr("line 12, serve: input is missing"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\nfoo = 1\n" + output),
              HasSubstr("line 14, serve.foo: there is no such key"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"events\"\nto = \"-\"\n"),
              HasSubstr("with the table [serve.events] that is allowed"));
  EXPECT_THAT(refusal("[serve]\ninput = \"tcp://127.0.0.1:99999\"\n" + output),
              HasSubstr("serve.input: "));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n" + output + output),
              HasSubstr("line 19, serve.output.to: standard output is taken already"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\nbad_channels = [\"x\"]\n" + output),
              HasSubstr("serve.bad_channels: there is no input 'x'"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n[serve.events]\nlevel = 1\nsigmas = 2\n" + output),
              HasSubstr("sigmas is there as well"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n[serve.envelope]\nkind = \"rms\"\n" + output),
              HasSubstr("window_ms is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("the table [serve] is missing"));
}

TEST_F(Serve, TellsOfASenderOfSomethingElse) {
  StreamHeader header = input_header();
  header.channels = 3;
  const ProgramResult result = run_program(command(kPipe), encode(header));
  EXPECT_THAT(result.err, HasSubstr("channels is 3"));
  EXPECT_EQ(report()["input"]["broken_senders"], 1);
}

}  // namespace
}  // namespace firbank::test
