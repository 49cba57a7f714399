// firbank serve: packets through pipes, TCP and shared memory, recordings, and the end of it.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/shared_ring.hpp"
#include "io/socket.hpp"
#include "io/tcp_sink.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/raw_connection.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/served_stream.hpp"

namespace firbank::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

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
    ASSERT_EQ(raw[1][n], n / kServedPacket == 7 ? 0 : kServedScale * samples[2 * n + 1]) << n;
  }
  const Signal filtered = read_signal(folder_.file("filtered.npy"));
  EXPECT_LE(relative_error(filtered, expected(samples, lost)), 1e-6);
}

TEST_F(Serve, TakesOffEachGroupsOwnReference) {
  constexpr std::size_t kChannels = 6;
  const auto samples = input_samples(1'000, kChannels);
  const std::string keys =
      "[serve]\ninput = \"-\"\nbad_channels = [2]\nreference = \"mean\"\n"
      "reference_groups = [[\"1-3\"], [\"in-4\", 5]]\n"
      "[[serve.output]]\nkind = \"filtered\"\nto = \"-\"\n";
  const ProgramResult result = run_program(command(keys, kChannels), wire(samples, {}, kChannels));
  EXPECT_EQ(result.exit_code, 0) << result.err;

  // A bad channel is silent and does not count; the last one is in no group.
  Signal input = sent_signal(samples, {}, kChannels);
  for (std::size_t n = 0; n < 1'000; ++n) {
    const double first = (input[0][n] + input[2][n]) / 2;
    const double second = (input[3][n] + input[4][n]) / 2;
    for (const std::size_t c : {0, 2}) input[c][n] -= first;
    for (const std::size_t c : {3, 4}) input[c][n] -= second;
    input[1][n] = 0;
  }
  const Received out = parse(result.out);
  ASSERT_EQ(out.planes[0].size(), 1'002u);
  EXPECT_LE(relative_error(out.planes, through_taps(input)), 1e-6);
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
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("filtered output to "), HasSubstr("out.wav"),
                    HasSubstr("has stopped: cannot write"), Not(HasSubstr("no output is left"))));
  EXPECT_LE(relative_error(parse(result.out).planes, expected(samples, {})), 1e-6);
  // What had room is kept, and is right.
  const Signal kept = read_signal(folder_.file("out.wav"));
  ASSERT_GT(kept[0].size(), 4'000u);
  ASSERT_LT(kept[0].size(), 8'200u);
  EXPECT_LE(relative_error(kept, slice(expected(samples, {}), 0, kept[0].size())), 1e-6);
}

constexpr const char* kRecordings =
    "[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"raw\"\nto = \"raw.npy\"\n"
    "[[serve.output]]\nkind = \"filtered\"\nto = \"filtered.wav\"\n";

TEST_F(Serve, RecordsAllOfAStreamThatComesFasterThanItsRate) {
  // 200 s of it, of which the rings hold 4.
  const auto samples = input_samples(200'000);
  const ProgramResult result = run_program(command(kRecordings), wire(samples, {}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read_signal(folder_.file("raw.npy"))[0].size(), 200'000u);
  EXPECT_LE(relative_error(read_signal(folder_.file("filtered.wav")), expected(samples, {})), 1e-6);
  EXPECT_EQ(report()["outputs"][0]["dropped_frames"], 0);
}

TEST_F(Serve, AGapOfMinutesIsSilenceAndNothingElseIsLost) {
  const auto samples = input_samples(100'000);
  std::vector<std::size_t> lost;
  for (std::size_t i = 100; i < 1'900; ++i) lost.push_back(i);
  const ProgramResult result = run_program(command(kRecordings), wire(samples, lost));
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_LE(relative_error(read_signal(folder_.file("filtered.wav")), expected(samples, lost)),
            1e-6);
  const Signal raw = read_signal(folder_.file("raw.npy"));
  ASSERT_EQ(raw[0].size(), 100'000u);
  for (std::size_t n = 0; n < raw[0].size(); ++n) {
    const bool is_lost = n >= 100 * kServedPacket && n < 1'900 * kServedPacket;
    ASSERT_EQ(raw[0][n], is_lost ? 0 : kServedScale * samples[2 * n]) << n;
  }
  const nlohmann::json json = report();
  EXPECT_EQ(json["outputs"][0]["files"],
            nlohmann::json::parse(fmt::format(
                R"([{{"name":"{}","first_frame":0,"frames":100000,"dropped_frames":0,
                      "first_dropped_frame":-1}}])",
                folder_.file("raw.npy"))));
}

TEST_F(Serve, BehindAVeryLongGapRecordingsBeginAnewSideBySide) {
  const auto samples = input_samples(200);
  constexpr std::int64_t kFar = 2'000'000;  // more than the engine makes up
  std::string bytes = encode(input_header());
  for (std::size_t i = 0; i < 4; ++i) {
    Packet packet = packet_of(samples, i);
    if (i >= 2) packet.first_frame += kFar;
    bytes += encode(input_header(), packet);
  }
  const ProgramResult result =
      run_program(command("[serve]\ninput = \"-\"\ndecimate = 4\n"
                          "[[serve.output]]\nkind = \"raw\"\nto = \"raw.npy\"\n"
                          "[[serve.output]]\nkind = \"filtered\"\nto = \"slow.npy\"\n"),
                  bytes);
  EXPECT_EQ(result.exit_code, 4) << result.err;
  const nlohmann::json outputs = report()["outputs"];
  ASSERT_EQ(outputs[0]["files"].size(), 2u);
  ASSERT_EQ(outputs[1]["files"].size(), 2u);
  EXPECT_EQ(outputs[0]["files"][1]["first_frame"], kFar + 100);
  EXPECT_EQ(outputs[1]["files"][1]["first_frame"], (kFar + 100) / 4);
  EXPECT_EQ(read_signal(folder_.file("raw-2.npy"))[1][0], kServedScale * samples[2 * 100 + 1]);
  EXPECT_EQ(outputs[1]["files"][0]["frames"], 25);
}

TEST_F(Serve, OneWrongIndexCostsASecondAndNotTheStream) {
  const auto samples = input_samples(5'000);
  std::string bytes = encode(input_header());
  for (std::size_t i = 0; i < 100; ++i) {
    Packet packet = packet_of(samples, i);
    if (i == 10) packet.first_frame = 1'000'000'000'000;
    bytes += encode(input_header(), packet);
  }
  const ProgramResult result = run_program(command(kRecordings), bytes);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(
      result.err,
      AllOf(HasSubstr("left out 50 frames that came again, or too late, from frame 550"),
            HasSubstr("the stream begins anew at frame 1550"), HasSubstr("begun anew 1 time")));
  // Before, the wrong one, and from a second after it on.
  EXPECT_EQ(read_signal(folder_.file("raw.npy"))[0].size(), 500u);
  EXPECT_EQ(read_signal(folder_.file("raw-2.npy"))[0].size(), 50u);
  EXPECT_EQ(read_signal(folder_.file("raw-3.npy"))[0].size(), 3'450u);
  const nlohmann::json json = report();
  EXPECT_EQ(json["input"]["restarts"], 1);
  EXPECT_EQ(json["input"]["backward"]["frames"], 1'000);
  EXPECT_EQ(json["outputs"][0]["files"][2]["first_frame"], 1'550);
}

TEST_F(Serve, FramesThatHaveNoNumberAreToldAndCounted) {
  const auto samples = input_samples(100);
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  std::string bytes = encode(input_header());
  for (std::size_t i = 0; i < 2; ++i) {
    Packet packet = packet_of(samples, i);
    packet.first_frame += kLast - 100;
    bytes += encode(input_header(), packet);
  }
  const ProgramResult result = run_program(command(kPipe), bytes);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("on nothing is filtered: it is too near to the last index"));
  EXPECT_GT(report()["input"]["out_of_range"]["frames"], 0);
}

TEST_F(Serve, NeverWritesOverARecordingThatIsThere) {
  const auto samples = input_samples(100);
  for (const int run : {1, 2, 3}) {
    const ProgramResult result = run_program(command(kRecordings), wire(samples, {}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const std::string name = folder_.file(run == 1 ? "raw.npy" : fmt::format("raw-{}.npy", run));
    EXPECT_THAT(result.err, HasSubstr("to " + name));
    EXPECT_THAT(result.err, HasSubstr("raw        100 frames to " + name + "\n"));
    EXPECT_EQ(report()["outputs"][0]["files"][0]["name"], name);
  }
  EXPECT_THAT(folder_.names(),
              ElementsAre("filtered-2.wav", "filtered-3.wav", "filtered.wav", "raw-2.npy",
                          "raw-3.npy", "raw.npy", "report.json", "serve.toml"));
}

TEST_F(Serve, EndsThoughNobodyTakesWhatComesOutAndKeepsItsRecordings) {
  TcpSink sender({"127.0.0.1", 0}, input_header());
  const std::string path =
      config(fmt::format("[serve]\ninput = \"tcp://127.0.0.1:{}\"\nconnect = true\n"
                         "[[serve.output]]\nkind = \"filtered\"\nto = \"-\"\n"
                         "[[serve.output]]\nkind = \"filtered\"\nto = \"filtered.npy\"\n"
                         "[[serve.output]]\nkind = \"raw\"\nto = \"raw.npy\"\n",
                         sender.address().port));
  // What it writes goes to a program that reads nothing.
  RunningProgram program({"/usr/bin/env", "bash", "-c",
                          R"(exec "$0" serve "$1" --json "$2" > >(exec sleep 60 &>/dev/null))",
                          FIRBANK_PROGRAM, path, folder_.file("report.json")});
  for (int i = 0; i < 6'000 && sender.stats().receivers == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto samples = input_samples(40'000);
  for (std::size_t i = 0; i < 800; ++i) sender.write(packet_of(samples, i));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto asked = std::chrono::steady_clock::now();
  program.send(SIGTERM);
  const ProgramResult result = program.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(15));
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_THAT(result.err, HasSubstr("it has not taken the rest within 5000 ms of the stop"));
  const Signal raw = read_signal(folder_.file("raw.npy"));
  ASSERT_GT(raw[0].size(), 5'000u);  // about what a pipe holds
  const nlohmann::json json = report();
  EXPECT_EQ(json["outputs"][0]["frames"].get<std::size_t>() +
                json["outputs"][0]["unwritten_frames"].get<std::size_t>(),
            raw[0].size() + 2);
  EXPECT_EQ(read_signal(folder_.file("filtered.npy"))[0].size(), raw[0].size() + 2);
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

TEST_F(ServeLive, ASenderThatBeginsAnewWithItsOldIdIsHeardAtOnce) {
  const auto samples = input_samples(1'000);
  for (std::size_t i = 0; i < 20; ++i) sink_->write(packet_of(samples, i));
  EXPECT_TRUE(wait_for(999));
  const TcpAddress address = sink_->address();
  sink_.reset();  // without an end
  sink_ = std::make_unique<TcpSink>(address, input_header());
  await_receiver();
  for (std::size_t i = 0; i < 10; ++i) sink_->write(packet_of(samples, i));
  EXPECT_TRUE(wait_for(1'001));  // the first stream, with its tail
  EXPECT_TRUE(wait_for(499));
  program_.send(SIGTERM);
  const ProgramResult result = program_.wait();
  EXPECT_THAT(result.err, HasSubstr("the stream begins anew at frame 0"));
  EXPECT_EQ(read_signal(folder_.file("raw.npy"))[0].size(), 1'000u);
  EXPECT_EQ(read_signal(folder_.file("raw-2.npy"))[0].size(), 500u);
  EXPECT_EQ(report()["input"]["backward"]["count"], 0);
}

TEST_F(ServeLive, TellsThatTheStreamIsSlowerThanDeclaredAndWhenThatIsOver) {
  const auto samples = input_samples(40'000);
  std::size_t sent = 0;
  const auto send_for = [&](std::chrono::seconds time, std::chrono::milliseconds apart) {
    auto next = std::chrono::steady_clock::now();
    for (const auto end = next + time; next < end; next += apart) {
      std::this_thread::sleep_until(next);
      sink_->write(packet_of(samples, sent++));
    }
  };
  send_for(std::chrono::seconds(8), std::chrono::milliseconds(100));  // 50 frames: half the rate
  send_for(std::chrono::seconds(8), std::chrono::milliseconds(50));
  program_.send(SIGTERM);
  const ProgramResult result = program_.wait();
  EXPECT_THAT(result.err, AllOf(HasSubstr("Hz instead of 1000.0 Hz\n"),
                                HasSubstr("Hz again, as declared: 1000.0 Hz\n")));
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
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\nreference = \"mean\"\n"
                      "reference_groups = [[\"1-2\"], [\"in-2\"]]\n" +
                      output),
              HasSubstr("line 15, serve.reference_groups: input 2, 'in-2', is in groups 1 and 2"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n[serve.events]\nlevel = 1\nsigmas = 2\n" + output),
              HasSubstr("sigmas is there as well"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n[serve.envelope]\nkind = \"rms\"\n" + output),
              HasSubstr("window_ms is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("the table [serve] is missing"));
}

TEST_F(Serve, NothingThatIsAStreamIsAnInputThatCannotBeRead) {
  for (const std::string input : {"", "GET / HTTP/1.1\r\n\r\n"}) {
    const ProgramResult result = run_program(command(kPipe), input);
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_THAT(result.err, HasSubstr("standard input: there was no stream of packets\n"));
  }
}

TEST_F(Serve, AStreamThatBreaksOffIsALoss) {
  const std::string bytes = wire(input_samples(1'000), {});
  const ProgramResult result = run_program(command(kPipe), bytes.substr(0, bytes.size() - 40));
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_EQ(report()["input"]["broken_senders"], 1);
}

TEST_F(Serve, SamplesThatAreNotFiniteAreALoss) {
  StreamHeader header = input_header();
  header.format = {NativeType::kFloat32, false, 1, 0};
  std::vector<float> samples(2 * kServedPacket, 1.0F);
  samples[60] = std::numeric_limits<float>::quiet_NaN();
  Packet packet;
  packet.frames = kServedPacket;
  packet.samples = samples.data();
  packet.flags = BlockFlags::kEndOfStream;
  const ProgramResult result = run_program(command(kPipe), encode(header) + encode(header, packet));
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_THAT(result.err, HasSubstr("spoiled    3 frames"));  // as many as there are taps
}

TEST_F(Serve, AnOutputThatFailedCountsMoreThanASignal) {
  TcpSink sender({"127.0.0.1", 0}, input_header());
  const std::string limited =
      R"(trap "" XFSZ; ulimit -f 8; exec "$0" serve "$1" --quiet)";  // 8 KiB a file
  RunningProgram program(
      {"/usr/bin/env", "bash", "-c", limited, FIRBANK_PROGRAM,
       config(fmt::format("[serve]\ninput = \"tcp://127.0.0.1:{}\"\nconnect = true\n"
                          "[[serve.output]]\nkind = \"raw\"\nto = \"raw.wav\"\n"
                          "[[serve.output]]\nkind = \"filtered\"\nto = \"-\"\n",
                          sender.address().port))});
  for (int i = 0; i < 6'000 && sender.stats().receivers == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto samples = input_samples(5'000);
  for (std::size_t i = 0; i < 100; ++i) sender.write(packet_of(samples, i));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  program.send(SIGTERM);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_THAT(result.err, HasSubstr("raw output to "));
}

/// What readiness tells of ports: "tcp at 127.0.0.1:40123".
TcpAddress address_in(const std::string& text) {
  const std::string mark = "127.0.0.1:";
  const std::size_t at = text.find(mark, text.find("to tcp "));
  return parse_tcp_address(
      text.substr(at, text.find_first_not_of("0123456789", at + mark.size()) - at));
}

TEST_F(Serve, AReceiverThatStallsIsToldCountedAndALoss) {
  // 20 MB, more than the queue and the buffers of the system hold.
  const std::string stalled = folder_.file("stalled");
  const auto samples = input_samples(2'000'000);
  RunningProgram program(
      {"/usr/bin/env", "bash", "-c", R"(exec "$0" serve "$1" --json "$2" 2>"$3")", FIRBANK_PROGRAM,
       config("[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"filtered\"\n"
              "to = \"tcp://127.0.0.1:0\"\nqueue_mb = 1\n"),
       folder_.file("report.json"), stalled},
      wire(samples, {}), {.input_stays_open = false});
  std::string told;
  for (int i = 0; i < 6'000 && told.find("ready") == told.npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    told = std::filesystem::exists(stalled) ? read_bytes(stalled) : "";
  }
  const packets_test::RawConnection receiver(address_in(told));  // that reads nothing
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 4);
  told = read_bytes(stalled);
  EXPECT_THAT(told, AllOf(HasSubstr("it stalled with "),
                          HasSubstr(", 1 receiver dropped, the first from frame ")));
  EXPECT_EQ(report()["outputs"][0]["dropped_receivers"], 1);
}

TEST_F(Serve, PassesOnTimesAndWhatSendersSaidOfTheirFrames) {
  StreamHeader header = input_header();
  header.packet_frames = 200;  // more than a block
  const auto samples = input_samples(600);
  std::string bytes = encode(header);
  constexpr BlockFlags kBad = BlockFlags::kSpoiled | BlockFlags::kLost;
  for (std::int64_t i = 0; i < 3; ++i) {
    Packet packet;
    packet.first_frame = i * 200;
    packet.timestamp_ns = 1'000'000'000 + packet.first_frame * 1'000'000;
    packet.frames = 200;
    packet.samples = samples.data() + 2 * packet.first_frame;
    if (i == 1) packet.flags = kBad;
    if (i == 2) packet.flags = BlockFlags::kEndOfStream;
    bytes += encode(header, packet);
  }
  for (const std::string kind : {"raw", "filtered"}) {
    SCOPED_TRACE(kind);
    const ProgramResult result = run_program(
        command("[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"" + kind + "\"\nto = \"-\"\n"),
        bytes);
    const Received out = parse(result.out);
    ASSERT_GT(out.packets.size(), 18u);
    for (const Packet& packet : out.packets) {
      if (packet.first_frame >= 600) break;
      EXPECT_EQ(packet.timestamp_ns, 1'000'000'000 + packet.first_frame * 1'000'000);
      const std::int64_t end = packet.first_frame + static_cast<std::int64_t>(packet.frames);
      const bool is_bad = packet.first_frame < 400 && end > 200;
      EXPECT_EQ(packet.flags & kBad, is_bad ? kBad : BlockFlags::kNone) << packet.first_frame;
    }
  }
}

TEST_F(Serve, TellsTheSendersUnitAndNamesWhereTheConfigurationHasNone) {
  StreamHeader header = input_header();
  header.unit = "uV";
  header.channel_names = {"left", "right"};
  const auto samples = input_samples(kServedPacket);
  const std::string bytes = encode(header) + encode(header, packet_of(samples, 0));
  const auto sent_on = [&](const std::string& kind, const std::string& unit) {
    return parse(run_program(command("[serve]\ninput = \"-\"\n" + unit +
                                     "[[serve.output]]\nkind = \"" + kind + "\"\nto = \"-\"\n"),
                             bytes)
                     .out)
        .header;
  };
  EXPECT_EQ(sent_on("raw", "").unit, "uV");
  EXPECT_THAT(sent_on("raw", "").channel_names, ElementsAre("left", "right"));
  EXPECT_EQ(sent_on("raw", "unit = \"V\"\n").unit, "V");
  EXPECT_EQ(sent_on("filtered", "").unit, "uV");
  EXPECT_THAT(sent_on("filtered", "").channel_names, ElementsAre("out-1", "out-2"));
}

TEST_F(Serve, MarksAsResetOnlyWhereTheIndexBeginsAnew) {
  const std::string serve =
      "[serve]\ninput = \"-\"\ngaps = \"reset\"\n[[serve.output]]\nkind = \"filtered\"\nto = "
      "\"-\"\n";
  const ProgramResult result = run_program(command(serve), wire(input_samples(1'000), {5, 6}));
  const Received out = parse(result.out);
  ASSERT_FALSE(out.packets.empty());
  for (const Packet& packet : out.packets) {
    EXPECT_EQ(has(packet.flags, BlockFlags::kReset), packet.first_frame == 0) << packet.first_frame;
  }
}

TEST_F(Serve, AChannelAtItsLimitMovesNoOther) {
  std::vector<std::int16_t> samples(400, 0);
  for (std::size_t n = 0; n < 200; ++n) samples[2 * n + 1] = 32'767;
  const std::string serve =
      "[serve]\ninput = \"-\"\nreference = \"mean\"\n[[serve.output]]\nkind = \"filtered\"\nto = "
      "\"-\"\n";
  Received out = parse(run_program(command(serve), wire(samples, {})).out);
  for (const double sample : out.planes[0]) ASSERT_EQ(sample, 0);
  // What is smaller counts, but for where the configuration says otherwise.
  for (std::size_t n = 0; n < 200; ++n) samples[2 * n + 1] = 16'000;
  out = parse(run_program(command(serve), wire(samples, {})).out);
  EXPECT_NEAR(out.planes[0][100], -0.5 * kServedScale * 16'000 * 0.875, 1e-2);
  const std::string key = "reference_largest = 7_900\n";
  out = parse(run_program(command("[serve]\n" + key + serve.substr(8)), wire(samples, {})).out);
  EXPECT_EQ(out.planes[0][100], 0);
}

TEST_F(Serve, NamesTheKeyOfAWindowThatIsTooLong) {
  const std::string path = config(
      "[serve]\ninput = \"-\"\n[serve.envelope]\nwindow_ms = 60000\n"
      "[[serve.output]]\nkind = \"filtered\"\nto = \"-\"\n");
  std::string text = read_bytes(path);
  text.replace(text.find("rate = 1000"), 11, "rate = 30000");
  write_bytes(path, text);
  const ProgramResult result = run_program({FIRBANK_PROGRAM, "serve", path});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("serve.envelope.window_ms: it is 60000; at 30000 Hz, up to "
                                    "34952 ms are allowed"));
}

TEST_F(Serve, ASignalEndsTheWaitForAConnection) {
  // A server that accepts nobody, and whose queue of those who wait is full: it does not answer.
  TcpAddress address{"127.0.0.1", 0};
  const Descriptor server = listen_on(address);
  ASSERT_EQ(::listen(server.number(), 0), 0);
  std::vector<Descriptor> waiting;
  std::string why;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(connect_to(address, std::chrono::milliseconds(200), why));
  }
  ASSERT_FALSE(waiting.back()) << "the system lets more wait than asked for";
  RunningProgram program(
      command(fmt::format("[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"filtered\"\n"
                          "to = \"tcp://127.0.0.1:{}\"\nconnect = true\n",
                          address.port)),
      {}, {.input_stays_open = true});
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const auto asked = std::chrono::steady_clock::now();
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().exit_code, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(4));
}

TEST_F(Serve, KeysOfAWayGoWithThatWayAlone) {
  const std::string output = "[[serve.output]]\nkind = \"raw\"\nto = ";
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\nidle_ms = 5\n" + output + "\"-\"\n"),
              HasSubstr("serve.idle_ms: it has no use here; allowed with tcp:// that waits"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\nany_owner = true\n" + output + "\"-\"\n"),
              HasSubstr("serve.any_owner: it has no use here; allowed with shm:"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n" + output + "\"-\"\nqueue_mb = 5\n"),
              HasSubstr("output.queue_mb: it has no use here; allowed with tcp:// that waits"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\n" + output + "\"-\"\ngroup_may_read = true\n"),
              HasSubstr("output.group_may_read: it has no use here; allowed with shm:"));
  EXPECT_THAT(refusal("[serve]\ninput = \"-\"\nreference_largest = 5\n" + output + "\"-\"\n"),
              HasSubstr("serve.reference_largest: it has no use here; allowed with a reference"));
  EXPECT_THAT(refusal("[serve]\ninput = \"tcp://:0\"\nidle_ms = -1\n" + output + "\"-\"\n"),
              HasSubstr("serve.idle_ms: it is -1"));
}

TEST_F(Serve, ARingMayBeReadByItsGroup) {
  const std::string ring = fmt::format("firbank-serve-group-{}", getpid());
  RunningProgram program(
      command(fmt::format("[serve]\ninput = \"-\"\n[[serve.output]]\nkind = \"filtered\"\n"
                          "to = \"shm:{}\"\ngroup_may_read = true\n",
                          ring)),
      {}, {.input_stays_open = true});
  struct stat info {};
  for (int i = 0; i < 6'000; ++i) {
    if (::stat(("/dev/shm/firbank." + ring).c_str(), &info) == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  ::stat(("/dev/shm/firbank." + ring).c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().exit_code, 130);
}

TEST_F(Serve, TellsOfASenderOfSomethingElse) {
  StreamHeader header = input_header();
  header.channels = 3;
  const ProgramResult result = run_program(command(kPipe), encode(header));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("channels is 3"));
  EXPECT_EQ(report()["input"]["broken_senders"], 1);
}

}  // namespace
}  // namespace firbank::test
