// Packets over TCP to receivers that keep up, and to those that do not.
#include "io/tcp_sink.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"
#include "io/tcp_source.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/raw_connection.hpp"

namespace firbank {
namespace {

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

std::unique_ptr<TcpSource> receiver_of(const TcpSink& sink) {
  TcpSourceOptions once;
  once.again = false;
  auto source = TcpSource::connect(sink.address(), once);
  EXPECT_EQ(next(*source), PacketEvent::kStarted);
  return source;
}

TEST(TcpSink, GivesEveryReceiverWhatIsWrittenSinceItConnected) {
  StreamHeader header = small_header();
  header.channel_names = {"one", "two", "three"};
  TcpSink sink(local(), header);
  const auto early = receiver_of(sink);
  EXPECT_EQ(encode(early->header()), encode(header));
  for (std::int64_t at = 0; at < 40; at += 8) sink.write(SamplePacket(header, at, 8));
  const auto late = receiver_of(sink);
  for (std::int64_t at = 40; at < 80; at += 8) sink.write(SamplePacket(header, at, 8));
  sink.finish();
  for (const auto& [source, first] : {std::pair(early.get(), 0), std::pair(late.get(), 40)}) {
    for (std::int64_t at = first; at < 80; at += 8) {
      ASSERT_EQ(next(*source), PacketEvent::kPacket);
      EXPECT_EQ(source->packet().first_frame, at);
      EXPECT_EQ(source->packet().sequence, static_cast<std::uint64_t>(at / 8));
      EXPECT_TRUE(is_whole(header, source->packet()));
    }
    ASSERT_EQ(next(*source), PacketEvent::kPacket) << "the end";
    EXPECT_EQ(next(*source), PacketEvent::kStopped);
    EXPECT_EQ(source->stats().broken, 0u) << source->stats().last_error;
    EXPECT_EQ(source->stats().gaps.count, 0u);
  }
  const SinkStats stats = sink.stats();
  EXPECT_EQ(stats.packets, 11u);
  EXPECT_EQ(stats.frames, 80);
  EXPECT_EQ(stats.receivers, 0u);
  EXPECT_EQ(stats.received_by, 2u);
  EXPECT_EQ(stats.dropped.count, 0u);
}

TEST(TcpSink, TellsWhoComesLaterWhatIsKnownLater) {
  StreamHeader header = small_header();
  header.unit.clear();
  TcpSink sink(local(), header);
  const auto early = receiver_of(sink);
  EXPECT_EQ(early->header().unit, "");
  EXPECT_TRUE(sink.describe("uV", {"one", "two", "three"}));
  sink.write(SamplePacket(header, 0, 8));
  EXPECT_EQ(next(*early), PacketEvent::kPacket);
  const auto late = receiver_of(sink);
  EXPECT_EQ(late->header().unit, "uV");
  EXPECT_THAT(late->header().channel_names, testing::ElementsAre("one", "two", "three"));
  EXPECT_TRUE(sink.describe("", {}));
  EXPECT_EQ(sink.header().unit, "uV");
  EXPECT_THROW(sink.describe("", {"one"}), Error);
}

TEST(TcpSink, LetsGoOfWhoStallsAndOfNobodyElse) {
  const StreamHeader header = small_header(64, 256);  // packets of 32 KiB
  TcpSinkOptions options;
  options.queue_bytes = 100'000;
  TcpSink sink(local(), header, options);
  RawConnection stalled(sink.address());
  const auto good = receiver_of(sink);
  ASSERT_TRUE(comes_true([&] { return sink.stats().receivers == 2; }));
  std::int64_t at = 0;
  // The system's buffers hold some megabytes.
  for (int n = 0; n < 20'000 && sink.stats().dropped.count == 0; ++n, at += 256) {
    sink.write(SamplePacket(header, at, 256));
    ASSERT_EQ(next(*good), PacketEvent::kPacket);
    ASSERT_EQ(good->packet().first_frame, at);
  }
  const SinkStats stats = sink.stats();
  EXPECT_EQ(stats.dropped.count, 1u);
  EXPECT_EQ(stats.receivers, 1u);
  EXPECT_GT(stats.dropped.frames, 2 * 256) << "a full queue";
  EXPECT_EQ(stats.dropped.first_frame + stats.dropped.frames, at) << "all that was not sent";
  EXPECT_THAT(stats.last_error, HasSubstr("at frame " + std::to_string(stats.dropped.first_frame) +
                                          ": it stalled with "));
  EXPECT_THAT(sink.status(), HasSubstr("1 receiver now, 2 in all, 1 receiver dropped ("));
  for (const std::int64_t end = at + 10 * 256; at < end; at += 256) {
    sink.write(SamplePacket(header, at, 256));
    ASSERT_EQ(next(*good), PacketEvent::kPacket);
    EXPECT_TRUE(is_whole(header, good->packet()));
  }
  EXPECT_EQ(good->stats().gaps.count, 0u);
}

TEST(TcpSink, CountsWhoIsStillBehindAtTheEnd) {
  const StreamHeader header = small_header(64, 1'024);
  TcpSinkOptions options;
  options.queue_bytes = std::size_t{1} << 30;
  options.drain = std::chrono::milliseconds(50);
  TcpSink sink(local(), header, options);
  RawConnection stalled(sink.address());
  ASSERT_TRUE(comes_true([&] { return sink.stats().receivers == 1; }));
  const SamplePacket packet(header, 0, 1'024);
  for (int n = 0; n < 300; ++n) sink.write(packet);  // 39 MB: more than the system's buffers
  sink.finish();
  EXPECT_EQ(sink.stats().receivers, 0u);
  EXPECT_EQ(sink.stats().dropped.count, 1u);
  EXPECT_THAT(sink.stats().last_error, HasSubstr("it stalled at the end of the stream"));
}

TEST(TcpSink, DoesNotMindWhoLeaves) {
  const StreamHeader header = small_header();
  TcpSink sink(local(), header);
  auto leaving = receiver_of(sink);
  const auto staying = receiver_of(sink);
  sink.write(SamplePacket(header, 0, 8));
  ASSERT_EQ(next(*leaving), PacketEvent::kPacket);
  leaving.reset();
  std::int64_t at = 8;
  EXPECT_TRUE(comes_true([&] {
    sink.write(SamplePacket(header, at, 8));
    at += 8;
    return sink.stats().receivers == 1;
  }));
  sink.finish();
  ASSERT_TRUE(read_until(*staying, PacketEvent::kStopped));
  EXPECT_EQ(staying->stats().frames, at);
  EXPECT_EQ(staying->stats().gaps.count, 0u);
  EXPECT_EQ(sink.stats().dropped.count, 0u);
}

TEST(TcpSink, IsNotImpressedByWhatReceiversSay) {
  const StreamHeader header = small_header();
  TcpSink sink(local(), header);
  RawConnection talker(sink.address(), std::string(10'000, 'x'));
  const auto good = receiver_of(sink);
  for (std::int64_t at = 0; at < 800; at += 8) sink.write(SamplePacket(header, at, 8));
  sink.finish();
  ASSERT_TRUE(read_until(*good, PacketEvent::kStopped));
  EXPECT_EQ(good->stats().frames, 800);
}

TEST(TcpSink, TurnsAwayMoreThanItMayHave) {
  TcpSinkOptions options;
  options.most_receivers = 1;
  TcpSink sink(local(), small_header(), options);
  const auto first = receiver_of(sink);
  RawConnection second(sink.address());
  EXPECT_TRUE(second.is_closed());
  EXPECT_EQ(sink.stats().receivers, 1u);
  EXPECT_THAT(sink.stats().last_error, HasSubstr("there are 1 receivers"));
}

TEST(TcpSink, RefusesWhatItCannotSend) {
  StreamHeader bad = small_header();
  bad.sample_rate_hz = 0;
  try {
    TcpSink sink(local(), bad);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_EQ(std::string(error.what()), "tcp 127.0.0.1:0: rate is 0; allowed: finite and above 0");
  }
  TcpSink sink(local(), small_header());
  EXPECT_THROW(sink.write(SamplePacket(sink.header(), 0, 9)), Error);
}

}  // namespace
}  // namespace firbank
