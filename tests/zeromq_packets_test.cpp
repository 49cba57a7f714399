// Packets by ZeroMQ: who gets what, what the high-water mark costs, and messages that are none.
#include "io/zeromq_packets.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

#ifdef FIRBANK_HAS_ZEROMQ
#include <zmq.h>

#include "io/interruption.hpp"
#include "io/zeromq_socket.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/raw_connection.hpp"
#endif

// libzmq is not instrumented, so ThreadSanitizer does not see how its threads wait for each other.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libzmq.so\n";
}

namespace firbank {
namespace {

#ifndef FIRBANK_HAS_ZEROMQ

TEST(ZeromqPackets, SayThatTheyAreNotThere) {
  EXPECT_THROW(publish_packets("tcp://127.0.0.1:*", {}), Error);
  EXPECT_THROW(subscribe_packets("tcp://127.0.0.1:1"), Error);
}

#else

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

constexpr const char* kAnyPort = "tcp://127.0.0.1:*";

class ZeromqPacketsTest : public testing::Test {
 protected:
  void write(PacketSink& sink) {
    sink.write(SamplePacket(header_, at_, 8));
    at_ += 8;
  }

  /// Writes until the source has got all that there was to get; it has taken the newest packet.
  /// Until ZeroMQ has connected them, what is written is lost.
  bool meet(PacketSink& sink, PacketSource& source) {
    const bool has_started = comes_true([&] {
      write(sink);
      return source.read(std::chrono::milliseconds(10)) == PacketEvent::kStarted;
    });
    if (!has_started) return false;
    do {
      if (next(source) != PacketEvent::kPacket) return false;
    } while (source.packet().first_frame + 8 < at_);
    return true;
  }

  StreamHeader header_ = small_header();
  std::int64_t at_ = 0;
};

TEST_F(ZeromqPacketsTest, ComeWholeAndInOrder) {
  header_.channel_names = {"one", "two", "three"};
  const auto sink = publish_packets(kAnyPort, header_, {.topic = "probe"});
  EXPECT_NE(sink->header().stream_id, 0u);
  const auto source = subscribe_packets(sink->endpoint(), {.topic = "probe"});
  ASSERT_TRUE(meet(*sink, *source));
  EXPECT_EQ(encode(source->header()), encode(sink->header()));
  for (int n = 0; n < 1'000; ++n) {  // across the headers that go out again
    write(*sink);
    ASSERT_EQ(next(*source), PacketEvent::kPacket);
    EXPECT_EQ(source->packet().first_frame, at_ - 8);
    EXPECT_TRUE(is_whole(header_, source->packet()));
  }
  EXPECT_EQ(sink->stats().receivers, 1u);
  sink->finish();
  ASSERT_EQ(next(*source), PacketEvent::kPacket);
  EXPECT_TRUE(has(source->packet().flags, BlockFlags::kEndOfStream));
  EXPECT_EQ(next(*source), PacketEvent::kStopped);
  const PacketStats stats = source->stats();
  EXPECT_EQ(stats.streams, 1u);
  EXPECT_EQ(stats.gaps.count, 0u);
  EXPECT_EQ(stats.broken, 0u) << stats.last_error;
  EXPECT_THAT(source->status(), HasSubstr("zeromq 'tcp://127.0.0.1:"));
  EXPECT_THAT(sink->status(), HasSubstr("1 receiver now"));
}

TEST_F(ZeromqPacketsTest, AreOfOneTopicAlone) {
  const auto sink = publish_packets(kAnyPort, header_, {.topic = "probe-2"});
  const auto other = subscribe_packets(sink->endpoint(), {.topic = "probe"});
  const auto source = subscribe_packets(sink->endpoint(), {.topic = "probe-2"});
  ASSERT_TRUE(meet(*sink, *source));
  ASSERT_TRUE(comes_true([&] {  // until the messages of the other topic have come there too
    write(*sink);
    return sink->stats().receivers == 2;
  }));
  write(*sink);
  EXPECT_EQ(other->read(std::chrono::milliseconds(20)), PacketEvent::kNothing);
  EXPECT_EQ(other->stats().packets, 0u);
  EXPECT_EQ(other->stats().broken, 0u);
}

TEST_F(ZeromqPacketsTest, AreCountedWhereTheHighWaterMarkDropsThem) {
  header_ = small_header(64, 1'024);
  const auto sink = publish_packets(kAnyPort, header_, {.high_water_mark = 4});
  const auto source = subscribe_packets(sink->endpoint(), {.high_water_mark = 4});
  ASSERT_TRUE(meet(*sink, *source));
  const std::int64_t seen = at_;
  const std::uint64_t seen_packets = source->stats().packets;
  for (int n = 0; n < 400; ++n) {  // 52 MB, unread: more than the system's buffers
    sink->write(SamplePacket(header_, at_, 1'024));
    at_ += 1'024;
  }
  // Then slowly, until one of the newest arrives: what is missing before it is known.
  std::int64_t got = 0;
  std::int64_t end = seen;
  const std::int64_t burst_end = at_;
  ASSERT_TRUE(comes_true([&] {
    if (end >= burst_end) return true;
    sink->write(SamplePacket(header_, at_, 1'024));
    at_ += 1'024;
    while (source->read(std::chrono::milliseconds(1)) == PacketEvent::kPacket) {
      const Packet& packet = source->packet();
      EXPECT_TRUE(is_whole(header_, packet));
      EXPECT_EQ(packet.first_frame - packet.gap_before, end);
      end = packet.first_frame + 1'024;
      got += 1'024;
    }
    return end >= burst_end;
  }));
  const PacketStats stats = source->stats();
  EXPECT_GT(stats.gaps.frames, 0);
  EXPECT_EQ(got + stats.gaps.frames, end - seen);
  EXPECT_EQ(static_cast<std::int64_t>(stats.lost_packets) * 1'024, stats.gaps.frames);
  EXPECT_EQ(stats.packets - seen_packets, static_cast<std::uint64_t>(got / 1'024));
}

TEST_F(ZeromqPacketsTest, BeginAnewWithAnotherPublisher) {
  const auto source = subscribe_packets(kAnyPort, {.waits = true});
  // Where it waits is known from a message of its own.
  const std::string status = source->status();
  const std::string endpoint = status.substr(8, status.find('\'', 8) - 8);
  for (std::uint64_t round = 1; round <= 2; ++round) {
    const auto sink = publish_packets(endpoint, header_, {.connects = true});
    at_ = 0;
    ASSERT_TRUE(meet(*sink, *source));
    EXPECT_EQ(source->header().stream_id, sink->header().stream_id);
    EXPECT_EQ(source->stats().streams, round);
  }
  EXPECT_EQ(source->stats().backward.count, 0u);
}

TEST_F(ZeromqPacketsTest, AreLeftOutWhenTheyAreNone) {
  ZeromqSocket raw(ZMQ_PUB, kAnyPort);
  raw.set(ZMQ_LINGER, 0);
  raw.bind();
  header_.stream_id = 9;
  const auto source = subscribe_packets(raw.endpoint(), {.expected = {3, {}, {}}});
  const auto send = [&](const std::vector<std::string>& parts) {
    for (std::size_t n = 0; n < parts.size(); ++n) {
      EXPECT_TRUE(raw.send(parts[n], n + 1 < parts.size()));
    }
  };
  ASSERT_TRUE(comes_true([&] {
    send({"", encode(header_)});
    return source->read(std::chrono::milliseconds(10)) == PacketEvent::kStarted;
  }));
  const std::string good = bytes_of(header_, 0, 8, 0);
  std::string hostile = good;
  hostile.replace(32, 8, std::string(8, '\xff'));
  std::string version = encode(header_);
  version[8] = 2;
  StreamHeader five = header_;
  five.channels = 5;
  const struct {
    std::vector<std::string> parts;
    const char* message;
  } cases[] = {
      {{"", good.substr(0, 60)}, "it ends inside of a packet, after 60 of 88 bytes"},
      {{"", good.substr(0, 10)}, "it ends inside of a packet, after 10 of at least 40 bytes"},
      {{"", good + "x"}, "1 bytes more in a message; allowed: 0"},
      {{"", hostile}, "the packet's frames are 4294967295; allowed: 1 to 8"},
      {{"", "hello"}, "the stream begins with 'hello'"},
      {{"", ""}, "it ends before its header begins"},
      {{"", version}, "byte 8: version is 2; allowed: 1"},
      {{"", encode(five)}, "byte 12: channels is 5; expected: 3"},
      {{""}, "a message has 1 parts; allowed: 2"},
      {{"", good, good}, "a message has 3 parts; allowed: 2"},
  };
  std::uint64_t broken = 0;
  std::int64_t at = 0;
  for (const auto& one : cases) {
    send(one.parts);
    send({"", bytes_of(header_, at, 8, static_cast<std::uint64_t>(at / 8))});
    ASSERT_EQ(next(*source), PacketEvent::kPacket) << one.message;
    EXPECT_EQ(source->packet().first_frame, at);
    EXPECT_TRUE(is_whole(header_, source->packet()));
    at += 8;
    EXPECT_EQ(source->stats().broken, ++broken);
    EXPECT_THAT(source->stats().last_error, HasSubstr(one.message));
  }
  EXPECT_EQ(source->stats().truncated.count, 2u);
  EXPECT_EQ(source->stats().gaps.count, 0u);
}

TEST_F(ZeromqPacketsTest, NeedOptionsThatAreAllowed) {
  const auto message = [](const std::function<void()>& call) -> std::string {
    try {
      call();
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
      return error.what();
    }
  };
  EXPECT_EQ(message([&] { publish_packets("nowhere", header_); }),
            "zeromq 'nowhere': cannot be bound: Invalid argument");
  EXPECT_EQ(message([&] { subscribe_packets("nowhere"); }),
            "zeromq 'nowhere': cannot be connected to: Invalid argument");
  EXPECT_EQ(message([&] { publish_packets(kAnyPort, header_, {.high_water_mark = 0}); }),
            std::string("zeromq '") + kAnyPort + "': high-water mark is 0; allowed: 1 to 1000000");
  EXPECT_EQ(message([&] { subscribe_packets(kAnyPort, {.topic = std::string(256, 'x')}); }),
            std::string("zeromq '") + kAnyPort + "': the topic has 256 bytes; allowed: up to 255");
  EXPECT_EQ(message([&] { publish_packets(kAnyPort, small_header(0)); }),
            std::string("zeromq '") + kAnyPort + "': channels is 0; allowed: 1 to 65536");
  const auto sink = publish_packets(kAnyPort, header_);
  EXPECT_THROW(sink->write(SamplePacket(header_, 0, 9)), Error);
}

TEST_F(ZeromqPacketsTest, EndWhenTheProgramIsToStop) {
  const auto source = subscribe_packets("tcp://127.0.0.1:1");
  EXPECT_EQ(source->read(std::chrono::milliseconds(1)), PacketEvent::kNothing);
  set_stop_requests([]() noexcept { return 1; });
  EXPECT_EQ(next(*source), PacketEvent::kEnded);
  set_stop_requests(nullptr);
}

#endif

}  // namespace
}  // namespace firbank
