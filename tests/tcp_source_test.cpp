// Packets over TCP from senders that behave, and from those that do not.
#include "io/tcp_source.hpp"

#include <list>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"
#include "io/interruption.hpp"
#include "io/packet_pipe.hpp"
#include "io/tcp_sink.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/raw_connection.hpp"

namespace firbank {
namespace {

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;
using testing::HasSubstr;

void expect(const LossCount& loss, std::uint64_t count, std::int64_t frames, std::int64_t first) {
  EXPECT_EQ(loss.count, count);
  EXPECT_EQ(loss.frames, frames);
  EXPECT_EQ(loss.first_frame, first);
}

class TcpSourceTest : public testing::Test {
 protected:
  explicit TcpSourceTest(TcpSourceOptions options = {})
      : source_(TcpSource::listen(local(), options)) {}

  /// A sender that does everything right, while or after others did not.
  void expect_good_stream() {
    RawConnection sender(source_->address(),
                         encode(header_) + bytes_of(header_, 0, 8, 0) + end_of(header_, 8, 1));
    ASSERT_EQ(next(*source_), PacketEvent::kStarted);
    EXPECT_EQ(source_->header().channels, 3u);
    ASSERT_EQ(next(*source_), PacketEvent::kPacket);
    EXPECT_EQ(source_->packet().frames, 8u);
    EXPECT_TRUE(is_whole(header_, source_->packet()));
    ASSERT_EQ(next(*source_), PacketEvent::kPacket);
    EXPECT_TRUE(has(source_->packet().flags, BlockFlags::kEndOfStream));
    EXPECT_EQ(next(*source_), PacketEvent::kStopped);
  }

  StreamHeader header_ = small_header();
  std::unique_ptr<TcpSource> source_;
};

TEST_F(TcpSourceTest, ReceivesOneStreamAfterAnother) {
  EXPECT_EQ(source_->read(kNone), PacketEvent::kNothing);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const auto sink = send_packets(source_->address(), header_, kLong);
    for (std::int64_t at = 0; at < 80; at += 8) sink->write(SamplePacket(header_, at, 8));
    sink->finish();
    ASSERT_EQ(next(*source_), PacketEvent::kStarted);
    EXPECT_EQ(encode(source_->header()), encode(header_));
    ASSERT_TRUE(read_until(*source_, PacketEvent::kStopped));
    EXPECT_EQ(source_->stats().streams, round);
    EXPECT_EQ(source_->stats().frames, 80 * static_cast<std::int64_t>(round));
    EXPECT_EQ(sink->stats().packets, 10u + 1);
  }
  const PacketStats stats = source_->stats();
  EXPECT_EQ(stats.broken, 0u) << stats.last_error;
  expect(stats.gaps, 0, 0, -1);
  EXPECT_THAT(source_->status(), HasSubstr("3 streams, 33 packets, 240 frames"));
}

TEST_F(TcpSourceTest, LetsGoOfNonsenseAndTakesTheNext) {
  StreamHeader other = header_;
  other.channels = 5;
  std::string wrong_version = encode(header_);
  wrong_version[8] = 9;
  std::string hostile = encode(header_) + bytes_of(header_, 0, 8, 0);
  hostile.replace(hostile.size() - 88 + 32, 8, std::string(8, '\xff'));
  std::string hostile_names = encode(header_);
  hostile_names.replace(20, 4, std::string(4, '\xff'));
  TcpSourceOptions options;
  options.expected.channels = 3;
  source_ = TcpSource::listen(local(), options);
  const struct {
    std::string bytes;
    bool begins;
    const char* message;
  } cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", false, "byte 0: the stream begins with 'GET / HT'"},
      {wrong_version, false, "byte 8: version is 9; allowed: 1"},
      {encode(other), false, "byte 12: channels is 5; expected: 3"},
      {hostile, true, "byte 98: the packet's frames are 4294967295; allowed: 1 to 8"},
      {hostile_names, false, "byte 20: the channel names have 4294967295 bytes"},
      {encode(header_) + std::string(50, 'x'), true, "byte 66: the packet begins with 'xxxx'"},
  };
  std::uint64_t broken = 0;
  for (const auto& one : cases) {
    RawConnection bad(source_->address(), one.bytes);
    if (one.begins) {
      ASSERT_EQ(next(*source_), PacketEvent::kStarted);
      ASSERT_EQ(next(*source_), PacketEvent::kStopped);
      EXPECT_TRUE(bad.is_closed());
    }
    expect_good_stream();
    const PacketStats stats = source_->stats();
    EXPECT_EQ(stats.broken, ++broken);
    EXPECT_THAT(stats.last_error, HasSubstr(one.message));
    EXPECT_THAT(stats.last_error, HasSubstr("tcp 127.0.0.1:"));
    EXPECT_EQ(stats.last_error.find('\n'), std::string::npos);
  }
}

TEST_F(TcpSourceTest, LetsGoOfWhoSaysNothing) {
  TcpSourceOptions options;
  options.timeouts.header = milliseconds(50);
  for (const std::string& said : {std::string(), encode(header_).substr(0, 40)}) {
    source_ = TcpSource::listen(local(), options);
    RawConnection silent(source_->address(), said);
    EXPECT_TRUE(comes_true([&] {
      EXPECT_EQ(source_->read(milliseconds(10)), PacketEvent::kNothing);
      return source_->stats().broken == 1;
    }));
    EXPECT_TRUE(silent.is_closed());
    EXPECT_THAT(source_->stats().last_error, HasSubstr("no header after 50 ms"));
    expect_good_stream();
  }
}

TEST_F(TcpSourceTest, LetsGoOfWhoStopsInsideOfAPacket) {
  TcpSourceOptions options;
  options.timeouts.packet = milliseconds(50);
  source_ = TcpSource::listen(local(), options);
  RawConnection half(source_->address(), encode(header_) + bytes_of(header_, 16, 8, 0) +
                                             bytes_of(header_, 24, 8, 1).substr(0, 60));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  ASSERT_EQ(next(*source_), PacketEvent::kStopped);
  EXPECT_TRUE(half.is_closed());
  expect(source_->stats().truncated, 1, 8, 24);
  EXPECT_THAT(source_->stats().last_error, HasSubstr("byte 214: half a packet after 50 ms"));
  expect_good_stream();
}

TEST_F(TcpSourceTest, LetsGoOfWhoFallsSilentWhereThatIsAskedFor) {
  TcpSourceOptions options;
  options.timeouts.idle = milliseconds(50);
  source_ = TcpSource::listen(local(), options);
  RawConnection idle(source_->address(), encode(header_) + bytes_of(header_, 0, 8, 0));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  ASSERT_EQ(next(*source_), PacketEvent::kStopped);
  EXPECT_THAT(source_->stats().last_error, HasSubstr("no packet after 50 ms"));
  expect(source_->stats().truncated, 0, 0, -1);
}

TEST_F(TcpSourceTest, CountsATruncatedPacketAndFindsTheGapWhenTheStreamComesBack) {
  header_.stream_id = 77;
  RawConnection first(source_->address(), encode(header_) + bytes_of(header_, 0, 8, 0) +
                                              bytes_of(header_, 8, 8, 1).substr(0, 50));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  first.close();
  ASSERT_EQ(next(*source_), PacketEvent::kStopped);
  expect(source_->stats().truncated, 1, 8, 8);
  EXPECT_THAT(source_->stats().last_error,
              HasSubstr("byte 204: it ends inside of a packet, after 50 of 88 bytes"));
  RawConnection second(source_->address(), encode(header_) + bytes_of(header_, 24, 8, 3));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  EXPECT_EQ(source_->packet().gap_before, 16);
  expect(source_->stats().gaps, 1, 16, 8);
  EXPECT_EQ(source_->stats().lost_packets, 2u);
  second.close();
  ASSERT_EQ(next(*source_), PacketEvent::kStopped);
  EXPECT_THAT(source_->stats().last_error, HasSubstr("it ends without the packet that says so"));
  EXPECT_EQ(source_->stats().broken, 2u);
}

TEST_F(TcpSourceTest, PassesOnJumpsForwardAndBack) {
  RawConnection sender(source_->address(), encode(header_) + bytes_of(header_, 100, 8, 0) +
                                               bytes_of(header_, 1'000, 8, 1) +
                                               bytes_of(header_, 108, 8, 2) +
                                               bytes_of(header_, 1'008, 8, 3));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  const std::pair<std::int64_t, std::int64_t> expected[] = {
      {100, 0}, {1'000, 892}, {108, 0}, {1'008, 0}};
  for (const auto& [first_frame, gap_before] : expected) {
    ASSERT_EQ(next(*source_), PacketEvent::kPacket);
    EXPECT_EQ(source_->packet().first_frame, first_frame);
    EXPECT_EQ(source_->packet().gap_before, gap_before);
    EXPECT_TRUE(is_whole(header_, source_->packet()));
  }
  expect(source_->stats().gaps, 1, 892, 108);
  expect(source_->stats().backward, 1, 8, 108);
  EXPECT_THAT(source_->status(), HasSubstr("1 gap (892 frames, first at 108), 1 packet again (8 "
                                           "frames, first at 108)"));
}

TEST_F(TcpSourceTest, TurnsAwayASecondSenderWhileTheFirstSends) {
  TcpSourceOptions options;
  options.refuse_after = kNone;
  source_ = TcpSource::listen(local(), options);
  RawConnection first(source_->address(), encode(header_) + bytes_of(header_, 0, 8, 0));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  RawConnection second(source_->address(), encode(header_));
  EXPECT_TRUE(comes_true([&] {
    source_->read(kNone);
    return source_->stats().refused == 1;
  }));
  EXPECT_TRUE(second.is_closed());
  EXPECT_THAT(source_->stats().last_error, HasSubstr(": turned away, as 127.0.0.1:"));
  ASSERT_TRUE(first.send(bytes_of(header_, 8, 8, 1)));
  EXPECT_TRUE(comes_true([&] {
    source_->read(kNone);
    return source_->stats().packets == 2;
  }));
  first.close();
  ASSERT_EQ(next(*source_), PacketEvent::kStopped);
  expect_good_stream();
}

TEST_F(TcpSourceTest, IsNotHeldUpByThoseWhoSayNothing) {
  TcpSourceOptions options;
  options.timeouts.header = kNone;  // for ever
  options.refuse_after = kLong;
  source_ = TcpSource::listen(local(), options);
  std::list<RawConnection> silent;
  for (int n = 0; n < 10; ++n) silent.emplace_back(source_->address());
  silent.emplace_back(source_->address(), encode(header_).substr(0, 60));
  expect_good_stream();
  ASSERT_TRUE(silent.back().send(encode(header_).substr(60) + bytes_of(header_, 40, 8, 0)));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted) << "the one who was slow";
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  EXPECT_EQ(source_->packet().first_frame, 40);
  EXPECT_EQ(source_->stats().broken, 0u);
  EXPECT_EQ(source_->stats().refused, 0u);
}

TEST_F(TcpSourceTest, HasRoomForTheNextHoweverManySayNothing) {
  TcpSourceOptions options;
  options.timeouts.header = kNone;  // for ever
  source_ = TcpSource::listen(local(), options);
  std::list<RawConnection> silent;
  for (int n = 0; n < 60; ++n) silent.emplace_back(source_->address());
  expect_good_stream();
  EXPECT_GE(source_->stats().broken, 60u - 16u);
  EXPECT_THAT(source_->stats().last_error, HasSubstr("nothing came from it, and others wait"));
  EXPECT_TRUE(silent.front().is_closed());
}

TEST_F(TcpSourceTest, TurnsAwayThoseWhoSayNothingWhileAStreamRuns) {
  TcpSourceOptions options;
  options.timeouts.header = kNone;
  options.refuse_after = kNone;
  source_ = TcpSource::listen(local(), options);
  RawConnection silent(source_->address());
  RawConnection sender(source_->address(), encode(header_));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  EXPECT_EQ(source_->read(kNone), PacketEvent::kNothing);
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(source_->stats().refused, 1u);
}

TEST_F(TcpSourceTest, HandsOverFromASilentSenderToOneThatWaits) {
  TcpSourceOptions options;
  options.idle = milliseconds(300);
  options.refuse_after = kLong;
  source_ = TcpSource::listen(local(), options);
  RawConnection first(source_->address(), encode(header_) + bytes_of(header_, 0, 8, 0));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  EXPECT_EQ(source_->read(milliseconds(600)), PacketEvent::kNothing) << "nobody else is there";
  RawConnection scanner(source_->address());
  EXPECT_EQ(source_->read(milliseconds(600)), PacketEvent::kNothing) << "nor anybody who sends";
  ASSERT_TRUE(first.send(bytes_of(header_, 8, 8, 1)));
  ASSERT_EQ(next(*source_), PacketEvent::kPacket) << "the pause is over";
  StreamHeader other = header_;
  other.stream_id = 77;
  RawConnection second(source_->address(), encode(other) + bytes_of(other, 40, 8, 0));
  ASSERT_EQ(next(*source_), PacketEvent::kStopped);
  EXPECT_TRUE(first.is_closed());
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  EXPECT_EQ(source_->header().stream_id, 77u);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  EXPECT_EQ(source_->packet().first_frame, 40);
  EXPECT_EQ(source_->stats().broken, 1u);
  EXPECT_THAT(source_->stats().last_error,
              HasSubstr("it has sent nothing for 300 ms, and 127.0.0.1:"));
}

TEST_F(TcpSourceTest, EndsWhenTheProgramIsToStop) {
  RawConnection sender(source_->address(), encode(header_) + bytes_of(header_, 0, 8, 0));
  ASSERT_EQ(next(*source_), PacketEvent::kStarted);
  ASSERT_EQ(next(*source_), PacketEvent::kPacket);
  set_stop_requests([]() noexcept { return 1; });
  EXPECT_EQ(next(*source_), PacketEvent::kEnded);
  EXPECT_EQ(next(*TcpSource::listen(local())), PacketEvent::kEnded);
  EXPECT_EQ(next(*TcpSource::connect(source_->address())), PacketEvent::kEnded);
  set_stop_requests(nullptr);
  EXPECT_EQ(next(*source_), PacketEvent::kEnded);
}

TEST(TcpSource, ConnectsToAServer) {
  const StreamHeader header = small_header();
  TcpSink sink(local(), header);
  TcpSourceOptions once;
  once.again = false;
  const auto source = TcpSource::connect(sink.address(), once);
  ASSERT_EQ(next(*source), PacketEvent::kStarted);
  sink.write(SamplePacket(header, 40, 8));
  sink.finish();
  ASSERT_EQ(next(*source), PacketEvent::kPacket);
  EXPECT_EQ(source->packet().first_frame, 40);
  EXPECT_TRUE(is_whole(header, source->packet()));
  ASSERT_EQ(next(*source), PacketEvent::kPacket);
  EXPECT_EQ(next(*source), PacketEvent::kStopped);
  EXPECT_EQ(next(*source), PacketEvent::kEnded);
  EXPECT_EQ(source->stats().broken, 0u);
}

TEST(TcpSource, SaysWhereItCannotConnect) {
  TcpAddress nobody = local();
  listen_on(nobody);  // and closes it again
  TcpSourceOptions options;
  options.retry = milliseconds(1);
  const auto patient = TcpSource::connect(nobody, options);
  EXPECT_EQ(patient->read(milliseconds(20)), PacketEvent::kNothing);
  EXPECT_EQ(patient->stats().last_error,
            "cannot connect to tcp " + to_string(nobody) + ": Connection refused");
  options.again = false;
  EXPECT_EQ(next(*TcpSource::connect(nobody, options)), PacketEvent::kEnded);
  try {
    send_packets(nobody, small_header(), kLong);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutput);
    EXPECT_EQ(std::string(error.what()),
              "cannot connect to tcp " + to_string(nobody) + ": Connection refused");
  }
}

TEST(TcpSource, SaysWhereItCannotListen) {
  TcpAddress taken = local();
  const Descriptor holder = listen_on(taken);
  try {
    TcpSource::listen(taken);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_EQ(std::string(error.what()),
              "cannot listen on TCP " + to_string(taken) + ": Address already in use");
  }
}

TEST(TcpAddress, IsParsed) {
  const auto parsed = [](std::string_view text) { return to_string(parse_tcp_address(text)); };
  for (const char* text : {"localhost:4000", "192.168.1.7:0", "[::1]:65535", ":80"}) {
    EXPECT_EQ(parsed(text), text);
  }
  for (const char* text :
       {"", "4000", "host", "host:", "host:x", "host:65536", "host:-1", "::1:80", "host:80 "}) {
    try {
      parsed(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string("TCP address '") + text + "': "));
      EXPECT_THAT(error.what(), HasSubstr("allowed: HOST:PORT"));
    }
  }
}

// An hour of a sensor of 1 kHz in packets of 1 to 20 frames. The sender loses packets on the way
// (numbers are missing), has none to send (they are not), sends some again, and reconnects.
TEST(TcpSource, ReportsExactlyTheLossesOfAnHour) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  constexpr std::int64_t kHour = 3'600 * 1'000;
  StreamHeader header = small_header(1, 20);
  header.sample_rate_hz = 1'000;
  header.stream_id = 1 + seed;

  PacketStats expected;
  std::vector<std::string> connections(1, encode(header));
  std::mt19937 random(seed);
  std::uint64_t sequence = 0;
  std::int64_t end = 0;  // of what was sent
  std::int64_t at = 0;   // of the hour
  bool has_begun = false;
  while (at < kHour) {
    const std::int64_t frames = 1 + random() % 20;
    const auto chance = random() % 1'000;
    if (chance < 5 && has_begun) {  // lost on the way
      ++sequence;
      at += frames;
      continue;
    }
    if (chance < 8) {  // never taken
      at += frames;
      continue;
    }
    if (random() % 8'000 == 0) connections.push_back(encode(header));
    const bool is_again = chance < 12 && at == end && has_begun;
    if (has_begun && at > end) expected.gaps.add(end, at - end);
    connections.back() += bytes_of(header, at, static_cast<std::size_t>(frames), sequence++);
    ++expected.packets;
    expected.frames += frames;
    at += frames;
    end = at;
    has_begun = true;
    if (is_again) {
      connections.back() +=
          bytes_of(header, at - frames, static_cast<std::size_t>(frames), sequence++);
      expected.backward.add(at - frames, frames);
      ++expected.packets;
      expected.frames += frames;
    }
  }
  connections.back() += end_of(header, end, sequence);
  ++expected.packets;
  ASSERT_GT(expected.gaps.count, 100u);
  ASSERT_GT(expected.backward.count, 100u);
  ASSERT_GT(connections.size(), 5u);

  TcpSourceOptions options;
  options.refuse_after = kLong;  // the next one is there before all of the last is read
  const auto source = TcpSource::listen(local(), options);
  std::thread sender([&] {
    for (const std::string& bytes : connections) {
      RawConnection connection(source->address(), bytes);
      connection.close();
    }
  });
  std::int64_t gaps = 0;
  bool is_whole_hour = true;
  for (std::size_t n = 0; n < connections.size(); ++n) {
    is_whole_hour = is_whole_hour && next(*source) == PacketEvent::kStarted;
    PacketEvent event = next(*source);
    for (; event == PacketEvent::kPacket; event = next(*source)) {
      is_whole_hour = is_whole_hour && is_whole(header, source->packet());
      gaps += source->packet().gap_before;
    }
    is_whole_hour = is_whole_hour && event == PacketEvent::kStopped;
    if (!is_whole_hour) break;
  }
  sender.join();
  EXPECT_TRUE(is_whole_hour) << source->status();
  const PacketStats stats = source->stats();
  EXPECT_EQ(stats.packets, expected.packets);
  EXPECT_EQ(stats.frames, expected.frames);
  EXPECT_EQ(stats.lost_packets, sequence + 1 - expected.packets);
  expect(stats.gaps, expected.gaps.count, expected.gaps.frames, expected.gaps.first_frame);
  expect(stats.backward, expected.backward.count, expected.backward.frames,
         expected.backward.first_frame);
  expect(stats.truncated, 0, 0, -1);
  EXPECT_EQ(gaps, expected.gaps.frames);
  EXPECT_EQ(stats.streams, connections.size());
}

}  // namespace
}  // namespace firbank
