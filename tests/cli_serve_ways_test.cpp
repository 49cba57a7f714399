// firbank serve by each way that packets may come and go: what comes out is what `firbank filter`
// makes of the same samples.
#include <chrono>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/shared_ring.hpp"
#include "io/tcp_sink.hpp"
#include "io/tcp_source.hpp"
#include "io/zeromq_packets.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/served_stream.hpp"

// libzmq is not instrumented, so ThreadSanitizer does not see how its threads wait for each other.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libzmq.so\n";
}

namespace firbank::test {
namespace {

constexpr std::size_t kMostPackets = 2'000;
constexpr std::size_t kPacketsBehind = 40;  // the first one that was answered
constexpr std::chrono::milliseconds kPause(5);
constexpr std::chrono::seconds kLong(60);

#ifdef FIRBANK_HAS_ZEROMQ
constexpr bool kHasZeromq = true;
#else
constexpr bool kHasZeromq = false;
#endif

/// An end of a way in this test, and the keys by which the program gets to the other end.
template <class End>
struct Way {
  std::unique_ptr<End> end;
  std::string keys;
};

class ServeWays : public Serve {
 protected:
  std::string name(const char* what) const {
    return fmt::format("firbank-ways-{}-{}", getpid(), what);
  }

  Way<PacketSink> tcp_in() const {
    auto sink = std::make_unique<TcpSink>(TcpAddress{"127.0.0.1", 0}, input_header());
    const std::string keys =
        fmt::format("input = \"tcp://127.0.0.1:{}\"\nconnect = true\n", sink->address().port);
    return {std::move(sink), keys};
  }
  Way<PacketSink> shared_in() const {
    return {std::make_unique<SharedRingWriter>(name("in"), input_header()),
            fmt::format("input = \"shm:{}\"\n", name("in"))};
  }
  Way<PacketSink> zeromq_in(bool connects) const {
    const std::string endpoint = "ipc://" + folder_.file("in");
    return {
        publish_packets(endpoint, input_header(), {.topic = "probe", .connects = connects}),
        fmt::format("input = \"zmq:{}\"\ntopic = \"probe\"\nconnect = {}\n", endpoint, !connects)};
  }

  Way<PacketSource> tcp_out() const {
    auto source = TcpSource::listen({"127.0.0.1", 0});
    const std::string keys =
        fmt::format("to = \"tcp://127.0.0.1:{}\"\nconnect = true\n", source->address().port);
    return {std::move(source), keys};
  }
  Way<PacketSource> shared_out() const {
    return {std::make_unique<SharedRingReader>(name("out")),
            fmt::format("to = \"shm:{}\"\n", name("out"))};
  }
  Way<PacketSource> zeromq_out(bool connects) const {
    const std::string endpoint = "ipc://" + folder_.file("out");
    return {
        subscribe_packets(endpoint, {.topic = "spikes", .waits = !connects}),
        fmt::format("to = \"zmq:{}\"\ntopic = \"spikes\"\nconnect = {}\n", endpoint, !connects)};
  }

  std::vector<std::string> serve(const std::string& in, const std::string& out) const {
    return command("[serve]\nonce = true\n" + in + "[[serve.output]]\nkind = \"filtered\"\n" + out);
  }

  /// What comes out in `wait` or sooner; false at the end of the stream.
  static bool receive(PacketSource& source, std::chrono::milliseconds wait, Received& received) {
    switch (source.read(wait)) {
      case PacketEvent::kNothing:
        return true;
      case PacketEvent::kStarted:
        received.begin(source.header());
        return true;
      case PacketEvent::kPacket:
        received.take(source.packet());
        return true;
      default:
        return false;
    }
  }

  /// Some ways lose what is sent before both ends have met. So this sends until something comes
  /// out, then some more packets, and the end.
  void expect_the_same(Way<PacketSink> in, Way<PacketSource> out);

  /// From the first frame on that came, with the tail, after `packets` of them.
  void compare(const Received& received, std::size_t packets) const;

  const std::vector<std::int16_t> samples_ = input_samples(kMostPackets * kServedPacket);
};

void ServeWays::expect_the_same(Way<PacketSink> in, Way<PacketSource> out) {
  RunningProgram program(serve(in.keys, out.keys));
  Received received;
  std::size_t packets = 0;
  while (received.first_frames.empty() && packets < kMostPackets - kPacketsBehind) {
    in.end->write(packet_of(samples_, packets++));
    ASSERT_TRUE(receive(*out.end, kPause, received)) << program.wait().err;
  }
  ASSERT_FALSE(received.first_frames.empty()) << "nothing came out";
  for (std::size_t i = 0; i < kPacketsBehind; ++i) in.end->write(packet_of(samples_, packets++));
  in.end->finish();
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (!received.has_ended && std::chrono::steady_clock::now() < end) {
    if (!receive(*out.end, kPause, received)) break;
  }
  in.end.reset();
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(received.has_ended);
  EXPECT_EQ(report()["losses"].size(), 0u);

  compare(received, packets);
}

void ServeWays::compare(const Received& received, std::size_t packets) const {
  const std::size_t frames = packets * kServedPacket;
  const std::vector<std::int16_t> taken(samples_.begin(),
                                        samples_.begin() + static_cast<std::ptrdiff_t>(2 * frames));
  write_signal(folder_.file("in.wav"), sent_signal(taken, {}), 1'000);
  write_text_filter(folder_.file("taps.txt"), {0.5, 0.25, 0.125});
  const ProgramResult result =
      run_program({FIRBANK_PROGRAM, "filter", folder_.file("in.wav"), folder_.file("out.npy"),
                   "--filter", folder_.file("taps.txt"), "--mode", "full", "--quiet"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Signal filtered = read_signal(folder_.file("out.npy"));
  ASSERT_EQ(filtered[0].size(), frames + 2);

  ASSERT_FALSE(received.first_frames.empty());
  const auto first = static_cast<std::size_t>(received.first_frames[0]);
  ASSERT_LT(first, frames);
  ASSERT_EQ(received.planes.size(), 2u);
  for (const auto& plane : received.planes) ASSERT_EQ(plane.size(), frames + 2 - first);
  // Where the input began there as well, the filters have heard silence before.
  const std::size_t from = first == 0 ? 0 : first + 2;
  EXPECT_LE(relative_error(slice(received.planes, from - first, frames + 2 - first),
                           slice(filtered, from, frames + 2)),
            1e-6);
}

TEST_F(ServeWays, StandardStreams) {
  const ProgramResult result =
      run_program(serve("input = \"-\"\n", "to = \"-\"\n"), wire(samples_, {}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const Received received = parse(result.out);
  EXPECT_TRUE(received.has_ended);
  compare(received, kMostPackets);
  EXPECT_EQ(received.first_frames.front(), 0);
}

TEST_F(ServeWays, Tcp) {
  expect_the_same(tcp_in(), tcp_out());
}

TEST_F(ServeWays, SharedMemory) {
  expect_the_same(shared_in(), shared_out());
}

TEST_F(ServeWays, ZeromqThatTheProgramWaitsAt) {
  if (!kHasZeromq) GTEST_SKIP() << "built without ZeroMQ (Debian: libzmq3-dev)";
  expect_the_same(zeromq_in(true), zeromq_out(true));
}

TEST_F(ServeWays, ZeromqThatTheProgramConnectsTo) {
  if (!kHasZeromq) GTEST_SKIP() << "built without ZeroMQ (Debian: libzmq3-dev)";
  expect_the_same(zeromq_in(false), zeromq_out(false));
}

}  // namespace
}  // namespace firbank::test
