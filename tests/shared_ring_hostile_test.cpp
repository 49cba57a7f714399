// A shared ring whose memory lies: no reader reads outside of it, and each says what is wrong.
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/shared_ring.hpp"
#include "io/shared_ring_layout.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/shared_names.hpp"

namespace firbank {
namespace {

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using shared_ring::Control;
using testing::HasSubstr;

class SharedRingHostileTest : public SharedNameTest {
 protected:
  SharedRingHostileTest() : writer_(name_, header_, {.packets = 4}), memory_(path()) {}

  StreamHeader header_ = small_header();
  SharedRingWriter writer_;
  Tampered memory_;
};

TEST_F(SharedRingHostileTest, RefusesSizesThatLie) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t bytes = memory_.size();
  Control& control = memory_.control();
  const struct {
    std::atomic<std::uint64_t>& word;
    std::uint64_t value;
    const char* message;
  } cases[] = {
      {control.magic, 1, "byte 0: it begins with 0x1; allowed: 0x474e49524b4e4246"},
      {control.version, 2, "version is 2; allowed: 1"},
      {control.segment_bytes, bytes + 1, "bytes; it has "},
      {control.segment_bytes, kMost, "it says it has 18446744073709551615 bytes; it has "},
      {control.slots, 0, "slots is 0; allowed: 2 to 65536"},
      {control.slots, 65'537, "slots is 65537; allowed: 2 to 65536"},
      {control.slots, 65'536, "slot bytes is 128; allowed: multiples of 64 up to "},
      {control.slots, kMost, "slots is 18446744073709551615"},
      {control.slot_bytes, 192, "slot bytes is 192; allowed: multiples of 64 up to 128"},
      {control.slot_bytes, 64, "slot bytes is 64; allowed for its packets: from 128 on"},
      {control.slot_bytes, 0, "slot bytes is 0; allowed for its packets: from 128 on"},
      {control.slot_bytes, kMost - 63, "slot bytes is 18446744073709551552; allowed: multiples"},
      {control.slots_at, 0, "its slots begin at byte 0; allowed: multiples of 64 from 512 to "},
      {control.slots_at, 4'097, "its slots begin at byte 4097"},
      {control.slots_at, kMost - 63, "its slots begin at byte 18446744073709551552"},
      {control.header_bytes, 0, "header: byte 0: it ends before its header begins"},
      {control.header_bytes, 50, "header: byte 50: it ends after 50 bytes of its header"},
      {control.header_bytes, 4'096, "its header has 4096 bytes; allowed: up to 3584"},
      {control.header_bytes, kMost, "its header has 18446744073709551615 bytes"},
  };
  for (const auto& one : cases) {
    const std::uint64_t before = one.word.exchange(one.value);
    SharedRingReader reader(name_);
    EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
    EXPECT_THAT(reader.stats().last_error, HasSubstr(one.message));
    EXPECT_THAT(reader.stats().last_error, HasSubstr("shared ring '" + name_ + "': "));
    one.word = before;
    EXPECT_EQ(next(reader), PacketEvent::kStarted) << "it is looked at again";
  }
}

TEST_F(SharedRingHostileTest, RefusesAHeaderThatLies) {
  unsigned char* const header = memory_.bytes() + shared_ring::kHeaderAt;
  header[12] = 200;  // channels: their packets do not fit into the slots
  SharedRingReader reader(name_);
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  EXPECT_THAT(reader.stats().last_error, HasSubstr("slot bytes is 128; allowed for its packets"));
  header[12] = 3;
  header[8] = 7;
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  EXPECT_THAT(reader.stats().last_error, HasSubstr("header: byte 8: version is 7; allowed: 1"));
}

TEST_F(SharedRingHostileTest, TakesOnlyWhatIsExpected) {
  SharedRingReaderOptions options;
  options.expected.channels = 4;
  SharedRingReader reader(name_, options);
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  EXPECT_THAT(reader.stats().last_error, HasSubstr("channels is 3; expected: 4"));
}

TEST_F(SharedRingHostileTest, WaitsForARingThatIsNotComplete) {
  const std::uint64_t magic = memory_.control().magic.exchange(0);
  SharedRingReader reader(name_);
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  EXPECT_EQ(reader.stats().last_error, "");
  memory_.control().magic = magic;
  EXPECT_EQ(next(reader), PacketEvent::kStarted);
}

TEST_F(SharedRingHostileTest, RefusesASegmentThatIsTooSmall) {
  memory_.resize(100);
  SharedRingReader reader(name_);
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  EXPECT_THAT(reader.stats().last_error, HasSubstr("it has 100 bytes; allowed: from 512 on"));
  memory_.resize(memory_.size());
}

TEST_F(SharedRingHostileTest, KeepsTheSizesThatItHasChecked) {
  SharedRingReader reader(name_);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  writer_.write(SamplePacket(header_, 0, 8));
  Control& control = memory_.control();
  for (auto* word : {&control.slots, &control.slot_bytes, &control.slots_at, &control.segment_bytes,
                     &control.header_bytes}) {
    *word = std::numeric_limits<std::uint64_t>::max();
  }
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_TRUE(is_whole(header_, reader.packet()));
}

TEST_F(SharedRingHostileTest, PassesOverPacketsThatLie) {
  SharedRingReader reader(name_);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  writer_.write(SamplePacket(header_, 0, 8));
  memory_.slot(0).frames = 1'000'000'000'000;
  writer_.write(SamplePacket(header_, 8, 8));
  memory_.slot(1).first_frame = std::numeric_limits<std::int64_t>::max();
  writer_.write(SamplePacket(header_, 16, 8));
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_EQ(reader.packet().first_frame, 16);
  EXPECT_EQ(reader.stats().broken, 2u);
  EXPECT_THAT(reader.stats().last_error,
              HasSubstr("packet 1 has 8 frames, the first 9223372036854775807; allowed: up to 8"));
}

TEST_F(SharedRingHostileTest, IsNotHeldUpByACountThatLies) {
  SharedRingReader reader(name_);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  for (const std::uint64_t published :
       {std::uint64_t{1}, std::uint64_t{1'000'000}, std::numeric_limits<std::uint64_t>::max()}) {
    memory_.control().published = published;
    EXPECT_EQ(reader.read(std::chrono::milliseconds(5)), PacketEvent::kNothing);
  }
  memory_.control().published = 0;
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
}

// Under a sanitizer, a step outside of the memory shows.
TEST_F(SharedRingHostileTest, SurvivesAnyBytes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<unsigned char> good(memory_.bytes(), memory_.bytes() + memory_.size());
  writer_.write(SamplePacket(header_, 0, 8));
  for (int round = 0; round < 2'000; ++round) {
    std::memcpy(memory_.bytes(), good.data(), good.size());
    SharedRingReader attached(name_);
    for (int changes = 0; changes < 1 + round % 8; ++changes) {
      const std::size_t place = random() % 3 == 0   ? random() % sizeof(Control)
                                : random() % 2 == 0 ? shared_ring::kHeaderAt + random() % 80
                                                    : 4'096 + random() % 512;
      const std::size_t at = place / 8 * 8;
      const std::uint64_t value = random() % 2 == 0 ? random() : random() % 300;
      std::memcpy(memory_.bytes() + at, &value, sizeof value);
    }
    SharedRingReader fresh(name_);
    for (SharedRingReader* reader : {&attached, &fresh}) {
      for (int n = 0; n < 4; ++n) {
        const PacketEvent event = reader->read(kNone);
        EXPECT_NE(event, PacketEvent::kEnded);
        if (event == PacketEvent::kPacket) {
          EXPECT_LE(reader->packet().frames, reader->header().packet_frames);
        }
      }
    }
  }
}

}  // namespace
}  // namespace firbank
