// The shared ring within one process, mapped by both sides: who gets what, and that no packet is
// ever torn.
#include "io/shared_ring.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"
#include "io/interruption.hpp"
#include "tests/support/counting_new.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/raw_connection.hpp"
#include "tests/support/shared_names.hpp"

namespace firbank {
namespace {

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

class SharedRingTest : public SharedNameTest {
 protected:
  void write(SharedRingWriter& writer, std::int64_t first_frame) const {
    writer.write(SamplePacket(header_, first_frame, 8));
  }

  StreamHeader header_ = small_header();
};

TEST_F(SharedRingTest, GivesEveryReaderWhatIsWrittenSinceItBegan) {
  header_.channel_names = {"one", "two", "three"};
  SharedRingWriter writer(name_, header_);
  SharedRingReader early(name_);
  for (std::int64_t at = 0; at < 40; at += 8) write(writer, at);
  SharedRingReader late(name_);
  for (std::int64_t at = 40; at < 80; at += 8) write(writer, at);
  writer.finish();
  for (const auto& [reader, first] : {std::pair(&early, 0), std::pair(&late, 40)}) {
    ASSERT_EQ(next(*reader), PacketEvent::kStarted);
    EXPECT_EQ(encode(reader->header()), encode(header_));
    for (std::int64_t at = first; at < 80; at += 8) {
      ASSERT_EQ(next(*reader), PacketEvent::kPacket);
      EXPECT_EQ(reader->packet().first_frame, at);
      EXPECT_EQ(reader->packet().gap_before, 0);
      EXPECT_TRUE(is_whole(header_, reader->packet()));
    }
    ASSERT_EQ(next(*reader), PacketEvent::kPacket);
    EXPECT_TRUE(has(reader->packet().flags, BlockFlags::kEndOfStream));
    EXPECT_EQ(next(*reader), PacketEvent::kStopped);
    EXPECT_EQ(reader->read(kNone), PacketEvent::kNothing);
    EXPECT_EQ(reader->stats().broken, 0u) << reader->stats().last_error;
  }
  EXPECT_EQ(writer.stats().packets, 11u);
  EXPECT_EQ(writer.stats().frames, 80);
}

TEST_F(SharedRingTest, WaitsForAWriterAndGetsAllOfItsPackets) {
  SharedRingReader reader(name_);
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  SharedRingWriter writer(name_, header_);
  for (std::int64_t at = 0; at < 80; at += 8) write(writer, at);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_EQ(reader.packet().first_frame, 0);
  EXPECT_THAT(reader.status(),
              HasSubstr("process " + std::to_string(::getpid()) + " writes, 1 stream, 1 packet"));
}

TEST_F(SharedRingTest, TellsALaggingReaderWhatItHasMissed) {
  SharedRingWriter writer(name_, header_, {.packets = 8});
  SharedRingReader reader(name_);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  write(writer, 0);
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  for (std::int64_t at = 8; at < 800; at += 8) write(writer, at);
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_EQ(reader.packet().first_frame, 800 - 4 * 8) << "the middle of a ring of eight";
  EXPECT_EQ(reader.packet().gap_before, 800 - 4 * 8 - 8);
  EXPECT_TRUE(has(reader.packet().flags, BlockFlags::kMissed));
  for (std::int64_t at = 800 - 3 * 8; at < 800; at += 8) {
    ASSERT_EQ(next(reader), PacketEvent::kPacket);
    EXPECT_EQ(reader.packet().first_frame, at);
    EXPECT_FALSE(has(reader.packet().flags, BlockFlags::kMissed));
  }
  const PacketStats stats = reader.stats();
  for (const LossCount& loss : {stats.gaps, stats.missed}) {
    EXPECT_EQ(loss.count, 1u);
    EXPECT_EQ(loss.frames, 760);
    EXPECT_EQ(loss.first_frame, 8);
  }
  EXPECT_EQ(stats.lost_packets, 95u);
  EXPECT_THAT(reader.status(), HasSubstr("1 time too slow (760 frames, first at 8)"));
}

TEST_F(SharedRingTest, AllocatesNothingWhileItWritesAndReads) {
  SharedRingWriter writer(name_, header_, {.packets = 8});
  SharedRingReader reader(name_);
  const SamplePacket packet(header_, 0, 8);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  writer.write(packet);
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  const std::size_t before = test::heap_allocations();
  for (int n = 0; n < 100; ++n) writer.write(packet);
  EXPECT_EQ(test::heap_allocations(), before);
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_EQ(test::heap_allocations(), before);
}

TEST_F(SharedRingTest, PassesOnJumpsThatAreTheWriters) {
  SharedRingWriter writer(name_, header_);
  SharedRingReader reader(name_);
  for (const std::int64_t at : {100, 1'000, 108}) write(writer, at);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  const std::pair<std::int64_t, std::int64_t> expected[] = {{100, 0}, {1'000, 892}, {108, 0}};
  for (const auto& [first_frame, gap_before] : expected) {
    ASSERT_EQ(next(reader), PacketEvent::kPacket);
    EXPECT_EQ(reader.packet().first_frame, first_frame);
    EXPECT_EQ(reader.packet().gap_before, gap_before);
    EXPECT_FALSE(has(reader.packet().flags, BlockFlags::kMissed));
  }
  EXPECT_EQ(reader.stats().missed.count, 0u);
  EXPECT_EQ(reader.stats().backward.count, 1u);
}

TEST_F(SharedRingTest, GoesOnWithTheNextWriter) {
  header_.stream_id = 5;
  std::optional<SharedRingWriter> writer(std::in_place, name_, header_);
  SharedRingReader reader(name_);
  write(*writer, 0);
  writer.reset();
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  ASSERT_EQ(next(reader), PacketEvent::kPacket) << "what is in the ring stays";
  ASSERT_EQ(next(reader), PacketEvent::kStopped);
  EXPECT_FALSE(exists());
  writer.emplace(name_, header_);
  write(*writer, 24);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_EQ(reader.packet().gap_before, 16) << "the same stream";
  EXPECT_EQ(reader.stats().streams, 2u);
}

TEST_F(SharedRingTest, EndsWithItsWriterWhereOneIsAllThatIsAskedFor) {
  std::optional<SharedRingWriter> writer(std::in_place, name_, header_);
  SharedRingReader reader(name_, {.again = false});
  writer.reset();
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  ASSERT_EQ(next(reader), PacketEvent::kStopped);
  EXPECT_EQ(next(reader), PacketEvent::kEnded);
}

TEST_F(SharedRingTest, RefusesASecondWriter) {
  SharedRingWriter writer(name_, header_);
  SharedRingReader reader(name_);
  try {
    SharedRingWriter second(name_, header_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_THAT(error.what(), HasSubstr("it has a writer that lives; allowed: one writer"));
  }
  write(writer, 0);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  ASSERT_EQ(next(reader), PacketEvent::kPacket) << "the first goes on";
}

TEST_F(SharedRingTest, SeesAWriterThatStalls) {
  SharedRingWriter writer(name_, header_);
  SharedRingReader reader(name_, {.stalled_after = std::chrono::milliseconds(30)});
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  EXPECT_TRUE(comes_true([&] {
    EXPECT_EQ(reader.read(std::chrono::milliseconds(5)), PacketEvent::kNothing);
    return reader.is_stalled();
  }));
  EXPECT_THAT(reader.status(), HasSubstr(" stalls, "));
  EXPECT_TRUE(comes_true([&] {
    writer.beat();
    EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
    return !reader.is_stalled();
  }));
}

TEST_F(SharedRingTest, RefusesWhatCannotBe) {
  EXPECT_THROW(SharedRingWriter(name_, header_, {.packets = 1}), Error);
  EXPECT_THROW(SharedRingWriter(name_, header_, {.packets = 65'537}), Error);
  EXPECT_THROW(SharedRingWriter(name_, small_header(0)), Error);
  EXPECT_THROW(SharedRingWriter("a/b", header_), Error);
  EXPECT_THROW(SharedRingReader("a/b"), Error);
  SharedRingWriter writer(name_, header_);
  EXPECT_THROW(writer.write(SamplePacket(header_, 0, 9)), Error);
}

TEST_F(SharedRingTest, EndsWhenTheProgramIsToStop) {
  SharedRingWriter writer(name_, header_);
  SharedRingReader reader(name_);
  SharedRingReader lonely(name_ + "-none");
  set_stop_requests([]() noexcept { return 1; });
  EXPECT_EQ(next(reader), PacketEvent::kEnded);
  EXPECT_EQ(next(lonely), PacketEvent::kEnded);
  set_stop_requests(nullptr);
}

#if defined(__SANITIZE_THREAD__)
#define FIRBANK_IS_WATCHED 1
#elif defined(__has_feature)
#define FIRBANK_IS_WATCHED __has_feature(thread_sanitizer)
#else
#define FIRBANK_IS_WATCHED 0
#endif

// The ring is so small and its packets so long that readers, of which there are more than may run
// at once on a small machine, are passed by in the middle of one. The packets are made beforehand,
// so that the writer does nothing but write.
TEST_F(SharedRingTest, NeverTearsAPacket) {
  constexpr std::int64_t kFrames = 4'096;
  constexpr std::int64_t kMade = 3;
  constexpr std::int64_t kPackets = FIRBANK_IS_WATCHED ? 200 : 5'000;  // each word is watched
  constexpr std::size_t kReaders = 3;
  const StreamHeader header = small_header(64, kFrames);
  std::vector<SamplePacket> made;
  for (std::int64_t n = 0; n < kMade; ++n) made.emplace_back(header, n * kFrames, kFrames);

  SharedRingWriter writer(name_, header, {.packets = 2});
  std::vector<std::optional<SharedRingReader>> readers(kReaders);
  for (auto& reader : readers) reader.emplace(name_);
  std::vector<std::string> faults(kReaders);
  std::atomic<std::size_t> at_the_end{0};  // readers that have read the last packet
  const auto follow = [&](SharedRingReader& reader, std::string& fault) {
    std::optional<std::int64_t> begin;
    std::int64_t end = 0;
    std::int64_t got = 0;
    while (fault.empty()) {
      const PacketEvent event = next(reader);
      if (event == PacketEvent::kStopped) break;
      if (event == PacketEvent::kStarted) continue;
      if (event != PacketEvent::kPacket) fault = "nothing for a minute";
      Packet packet = reader.packet();
      if (!begin) begin = end = packet.first_frame;
      if (packet.first_frame - packet.gap_before != end) fault = "a gap that is not told";
      end = packet.first_frame + static_cast<std::int64_t>(packet.frames);
      got += static_cast<std::int64_t>(packet.frames);
      packet.first_frame %= kMade * kFrames;
      packet.timestamp_ns = made.front().packet().timestamp_ns + packet.first_frame * 33'333;
      if (!is_whole(header, packet)) fault = "torn";
      if (!fault.empty() || end == kPackets * kFrames) ++at_the_end;
    }
    const PacketStats stats = reader.stats();
    if (!fault.empty()) return;
    if (begin.value_or(0) + got + stats.gaps.frames != kPackets * kFrames) {
      fault = "frames are missing";
    }
    if (stats.missed.frames != stats.gaps.frames) fault = "missing for another reason";
  };
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < kReaders; ++k) {
    threads.emplace_back([&, k] { follow(*readers[k], faults[k]); });
  }
  for (std::int64_t n = 0; n < kPackets; ++n) {
    Packet packet = made[static_cast<std::size_t>(n % kMade)];
    packet.first_frame = n * kFrames;
    writer.write(packet);
  }
  EXPECT_TRUE(comes_true([&] { return at_the_end >= kReaders; }));
  writer.finish();
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) EXPECT_EQ(fault, "");
}

}  // namespace
}  // namespace firbank
