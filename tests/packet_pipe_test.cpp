// Packets through files, pipes and the standard streams.
#include "io/packet_pipe.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/interruption.hpp"
#include "tests/support/io_files.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/raw_connection.hpp"

namespace firbank {
namespace {

using namespace packets_test;  // NOLINT(google-build-using-namespace)
using testing::HasSubstr;

/// Takes the place of a standard stream while it lives.
class Replaced {
 public:
  Replaced(int number, int by) : number_(number), kept_(::dup(number)) { ::dup2(by, number); }
  ~Replaced() { ::dup2(kept_.number(), number_); }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  int number_;
  Descriptor kept_;
};

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
  Descriptor read;
  Descriptor write;
};

class PacketPipeTest : public io_test::FilesTest {
 protected:
  StreamHeader header_ = small_header();
};

TEST_F(PacketPipeTest, WritesAFileAndReadsItBack) {
  const auto sink = create_packets(path("s.fbs"), header_);
  for (std::int64_t at = 5; at < 85; at += 8) sink->write(SamplePacket(header_, at, 8));
  sink->finish();
  sink->finish();
  EXPECT_EQ(sink->stats().packets, 11u);
  EXPECT_THAT(sink->status(), HasSubstr("s.fbs: 11 packets, 80 frames"));

  const auto source = open_packets(path("s.fbs"));
  ASSERT_EQ(next(*source), PacketEvent::kStarted);
  EXPECT_EQ(encode(source->header()), encode(header_));
  for (std::int64_t at = 5; at < 85; at += 8) {
    ASSERT_EQ(next(*source), PacketEvent::kPacket);
    EXPECT_EQ(source->packet().first_frame, at);
    EXPECT_TRUE(is_whole(header_, source->packet()));
  }
  ASSERT_EQ(next(*source), PacketEvent::kPacket);
  EXPECT_TRUE(has(source->packet().flags, BlockFlags::kEndOfStream));
  EXPECT_EQ(source->packet().first_frame, 85);
  EXPECT_EQ(next(*source), PacketEvent::kStopped);
  EXPECT_EQ(next(*source), PacketEvent::kEnded);
  EXPECT_EQ(source->stats().last_error, "");
}

TEST_F(PacketPipeTest, GoesThroughTheStandardStreams) {
  Pipe pipe;
  {
    std::fflush(stdout);
    const Replaced output(STDOUT_FILENO, pipe.write.number());
    const auto sink = create_packets("-", header_);
    sink->write(SamplePacket(header_, 0, 8));
    sink->finish();
  }
  const Replaced input(STDIN_FILENO, pipe.read.number());
  const auto source = open_packets("-");
  ASSERT_EQ(next(*source), PacketEvent::kStarted);
  ASSERT_EQ(next(*source), PacketEvent::kPacket);
  EXPECT_TRUE(is_whole(header_, source->packet()));
  ASSERT_EQ(next(*source), PacketEvent::kPacket);
  EXPECT_EQ(next(*source), PacketEvent::kStopped);
  EXPECT_THAT(source->status(), HasSubstr("standard input: 1 stream, 2 packets, 8 frames"));
}

TEST_F(PacketPipeTest, HasNothingWhileThePipeHasNone) {
  Pipe pipe;
  const auto source = open_packets("/dev/fd/" + std::to_string(pipe.read.number()));
  EXPECT_EQ(source->read(kNone), PacketEvent::kNothing);
  const std::string bytes = encode(header_) + bytes_of(header_, 0, 8, 0);
  const auto put = [&](std::size_t from, std::size_t to) {
    ASSERT_EQ(::write(pipe.write.number(), bytes.data() + from, to - from),
              static_cast<ssize_t>(to - from));
  };
  put(0, 30);
  EXPECT_EQ(source->read(kNone), PacketEvent::kNothing);
  put(30, 70);
  EXPECT_EQ(source->read(kNone), PacketEvent::kStarted);
  EXPECT_EQ(source->read(kNone), PacketEvent::kNothing);
  put(70, bytes.size());
  EXPECT_EQ(source->read(kNone), PacketEvent::kPacket);
  set_stop_requests([]() noexcept { return 1; });
  EXPECT_EQ(next(*source), PacketEvent::kEnded);
  set_stop_requests(nullptr);
}

TEST_F(PacketPipeTest, SaysWhereAFileIsWrong) {
  const std::string good = encode(header_) + bytes_of(header_, 0, 8, 0);
  const struct {
    std::string bytes;
    const char* message;
    std::uint64_t truncated;
  } cases[] = {
      {"", ".fbs: byte 0: it ends before its header begins", 0},
      {good.substr(0, 20), ".fbs: byte 20: it ends after 20 bytes of its header", 0},
      {good.substr(0, 100), ".fbs: byte 100: it ends inside of a packet, after 34 of at least 40",
       1},
      {good.substr(0, 120), ".fbs: byte 120: it ends inside of a packet, after 54 of 88 bytes", 1},
      {good, ".fbs: byte 154: it ends without the packet that says so", 0},
      {"RIFF....WAVE", ".fbs: byte 0: the stream begins with 'RIFF....'", 0},
  };
  for (const auto& one : cases) {
    const auto source = open_packets(with_bytes("x.fbs", one.bytes));
    EXPECT_TRUE(read_until(*source, PacketEvent::kStopped) ||
                read_until(*source, PacketEvent::kStopped));
    EXPECT_EQ(next(*source), PacketEvent::kEnded);
    EXPECT_THAT(source->stats().last_error, HasSubstr(one.message));
    EXPECT_EQ(source->stats().broken, 1u);
    EXPECT_EQ(source->stats().truncated.count, one.truncated);
  }
}

TEST_F(PacketPipeTest, SaysWhatCannotBeOpenedOrWritten) {
  const auto message = [](auto&& call) -> std::string {
    try {
      call();
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(message([&] { open_packets(path("none")); }),
            "cannot read " + path("none") + ": No such file or directory");
  EXPECT_EQ(message([&] { create_packets(path("none/x"), header_); }),
            "cannot write " + path("none/x") + ": No such file or directory");
  StreamHeader bad = header_;
  bad.channels = 0;
  EXPECT_EQ(message([&] { create_packets(path("x"), bad); }),
            path("x") + ": channels is 0; allowed: 1 to 65536");
  EXPECT_TRUE(names().empty());
  const auto sink = create_packets(path("y"), header_);
  EXPECT_EQ(message([&] { sink->write(SamplePacket(header_, 0, 9)); }),
            "cannot write " + path("y") + ": the packet has 9 frames; allowed: up to 8");
}

TEST_F(PacketPipeTest, FailsWhenItsReaderHasGone) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  const auto sink = create_packets("/dev/fd/" + std::to_string(pipe.write.number()), header_);
  pipe.read.close();
  try {
    sink->write(SamplePacket(header_, 0, 8));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutput);
    EXPECT_THAT(error.what(), HasSubstr("Broken pipe"));
  }
  EXPECT_EQ(sink->stats().receivers, 0u);
  EXPECT_THAT(sink->stats().last_error, HasSubstr("Broken pipe"));
  std::signal(SIGPIPE, before);
}

TEST_F(PacketPipeTest, GivesUpAServerThatStalls) {
  TcpAddress address = local();
  const Descriptor server = listen_on(address);  // and accepts nobody
  const auto sink =
      send_packets(address, small_header(64, 1'024), kLong, std::chrono::milliseconds(50));
  const SamplePacket packet(sink->header(), 0, 1'024);
  try {
    for (int n = 0; n < 10'000; ++n) sink->write(packet);  // 1.3 GB: more than any buffer
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutput);
    EXPECT_THAT(error.what(), HasSubstr("it takes nothing for 50 ms"));
  }
}

}  // namespace
}  // namespace firbank
