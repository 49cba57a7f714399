// Processes that are killed: a writer in the middle of a packet, a reader in the middle of a read,
// and who comes after them.
#include <csignal>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "io/error.hpp"
#include "io/shared_ring.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/raw_connection.hpp"
#include "tests/support/shared_names.hpp"

namespace firbank {
namespace {

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

/// A process of its own, which is killed with its owner.
class Child {
 public:
  explicit Child(const std::function<void()>& run) : pid_(::fork()) {
    if (pid_ != 0) return;
    run();
    ::_exit(0);
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  /// The signal that ended it; 0 for none.
  int wait() {
    int status = 0;
    EXPECT_EQ(::waitpid(std::exchange(pid_, 0), &status, 0) > 0, true);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

class SharedRingDeathTest : public SharedNameTest {
 protected:
  /// Writes from frame 0 on, as fast as it can, for ever.
  void write_for_ever() const {
    SharedRingWriter writer(name_, header_, {.packets = 8});
    for (std::int64_t at = 0;; at += 1'024) writer.write(SamplePacket(header_, at, 1'024));
  }

  StreamHeader header_ = small_header(8, 1'024);
};

TEST_F(SharedRingDeathTest, AWriterKilledAnywhereLeavesWholePackets) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  SharedRingReader reader(name_);
  for (std::uint64_t round = 1; round <= 20; ++round) {
    Child writer([this] { write_for_ever(); });
    const std::string pid = std::to_string(writer.pid());
    ASSERT_EQ(next(reader), PacketEvent::kStarted);
    for (auto n = 1 + random() % 20; n > 0; --n) {
      ASSERT_EQ(next(reader), PacketEvent::kPacket);
      ASSERT_TRUE(is_whole(header_, reader.packet()));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1'000));
    writer.kill();
    ASSERT_TRUE(read_until(reader, PacketEvent::kStopped));
    const PacketStats stats = reader.stats();
    EXPECT_EQ(stats.streams, round);
    EXPECT_EQ(stats.broken, round);
    EXPECT_THAT(stats.last_error, HasSubstr("its writer, process " + pid + ", has died after "));
    EXPECT_TRUE(exists()) << "a killed process leaves its segment";
  }
}

// The samples end at memory that may not be read, so that the writer dies inside of write(), with a
// slot half written.
TEST_F(SharedRingDeathTest, AWriterKilledInsideOfAPacketLeavesTheOnesBefore) {
  SharedRingReader reader(name_);
  Child child([this] {
    std::signal(SIGSEGV, [](int) { ::kill(::getpid(), SIGKILL); });
    SharedRingWriter writer(name_, header_, {.packets = 2});
    writer.write(SamplePacket(header_, 0, 1'024));
    writer.write(SamplePacket(header_, 1'024, 1'024));
    constexpr std::size_t kBytes = 8'192;
    auto* const half = static_cast<unsigned char*>(
        ::mmap(nullptr, 2 * kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ::mprotect(half + kBytes, kBytes, PROT_NONE);
    Packet packet;
    packet.first_frame = 2'048;
    packet.frames = 1'024;
    packet.samples = half;
    writer.write(packet);
  });
  ASSERT_EQ(child.wait(), SIGKILL);
  // The reader has looked before there was a ring: it begins with the oldest packet, which is the
  // one whose slot was being written.
  ASSERT_FALSE(reader.read(kNone) == PacketEvent::kPacket);
  {
    const Tampered memory(path());
    EXPECT_EQ(memory.control().published, 2u);
    EXPECT_EQ(memory.slot(0).state, 5u) << "packet 2 is being written";
    EXPECT_EQ(memory.slot(1).state, 4u) << "packet 1 is there";
  }
  EXPECT_THAT(reader.stats().last_error, HasSubstr("which wrote it, has gone"));
  // A new writer takes over, with nothing of the old one left.
  SharedRingWriter writer(name_, header_, {.packets = 2});
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  EXPECT_EQ(reader.read(kNone), PacketEvent::kNothing);
  writer.write(SamplePacket(header_, 0, 1'024));
  ASSERT_EQ(next(reader), PacketEvent::kPacket);
  EXPECT_TRUE(is_whole(header_, reader.packet()));
}

TEST_F(SharedRingDeathTest, AReaderSeesTheSlotOnWhichItsWriterDied) {
  std::optional<SharedRingReader> reader;
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const Descriptor go_read(go[0]);
  const Descriptor go_write(go[1]);
  Child child([&] {
    std::signal(SIGSEGV, [](int) { ::kill(::getpid(), SIGKILL); });
    SharedRingWriter writer(name_, header_, {.packets = 2});
    writer.write(SamplePacket(header_, 0, 1'024));
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) ::_exit(1);
    writer.write(SamplePacket(header_, 1'024, 1'024));
    Packet packet;
    packet.first_frame = 2'048;
    packet.frames = 1'024;
    packet.samples = ::mmap(nullptr, 65'536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    writer.write(packet);
  });
  ASSERT_TRUE(comes_true([&] {
    reader.emplace(name_);
    return reader->read(kNone) == PacketEvent::kStarted;
  }));
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  ASSERT_EQ(child.wait(), SIGKILL);
  // It had read nothing or packet 0; what is left of it is packet 1, whole.
  PacketEvent event = next(*reader);
  while (event == PacketEvent::kPacket) {
    EXPECT_TRUE(is_whole(header_, reader->packet()));
    event = next(*reader);
  }
  EXPECT_EQ(event, PacketEvent::kStopped);
  EXPECT_THAT(reader->stats().last_error, HasSubstr("has died after 2 packets"));
}

TEST_F(SharedRingDeathTest, AReaderThatDiesOrSleepsHoldsNobodyUp) {
  SharedRingWriter writer(name_, header_, {.packets = 8});
  SharedRingReader good(name_);
  ASSERT_EQ(next(good), PacketEvent::kStarted);
  const auto read_for_ever = [this] {
    SharedRingReader reader(name_);
    while (true) {
      if (reader.read(kLong) == PacketEvent::kPacket && !is_whole(header_, reader.packet())) {
        ::_exit(1);
      }
    }
  };
  Child dying(read_for_ever);
  Child sleeping(read_for_ever);
  std::int64_t at = 0;
  const auto write_some = [&] {
    for (const std::int64_t end = at + 200 * 1'024; at < end; at += 1'024) {
      writer.write(SamplePacket(header_, at, 1'024));
      ASSERT_EQ(next(good), PacketEvent::kPacket);
      ASSERT_EQ(good.packet().first_frame, at);
    }
  };
  write_some();
  dying.kill();
  ::kill(sleeping.pid(), SIGSTOP);
  write_some();
  EXPECT_EQ(good.stats().gaps.count, 0u);
  EXPECT_EQ(writer.stats().packets, 400u);
}

TEST_F(SharedRingDeathTest, ASecondWriterIsRefusedUntilTheFirstIsDead) {
  Child first([this] { write_for_ever(); });
  ASSERT_TRUE(comes_true([this] {
    const SharedRingReader reader(name_);
    return reader.stats().streams == 1;
  }));
  EXPECT_THROW(SharedRingWriter(name_, header_), Error);
  ::kill(first.pid(), SIGSTOP);
  EXPECT_THROW(SharedRingWriter(name_, header_), Error) << "it sleeps, and may wake up";
  first.kill();
  EXPECT_NO_THROW(SharedRingWriter(name_, header_));
  EXPECT_FALSE(exists());
}

TEST_F(SharedRingDeathTest, AProcessNumberThatIsUsedAgainIsNoSignOfLife) {
  SharedRingWriter writer(name_, header_);
  SharedRingReader reader(name_);
  ASSERT_EQ(next(reader), PacketEvent::kStarted);
  const Tampered memory(path());
  ++memory.control().start_time;  // this process has the number; it began at another time
  SharedRingReader late(name_);
  EXPECT_EQ(late.read(kNone), PacketEvent::kNothing);
  EXPECT_EQ(late.stats().last_error, "shared ring '" + name_ + "': process " +
                                         std::to_string(::getpid()) + ", which wrote it, has gone");
}

}  // namespace
}  // namespace firbank
