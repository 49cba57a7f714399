#include "io/packet_pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/input_file.hpp"
#include "io/interruption.hpp"
#include "io/packet_order.hpp"

namespace firbank {
namespace {

// That a receiver may take, in all, for what is left once the program is asked to stop.
constexpr std::chrono::milliseconds kAfterStop(5'000);

/// What a write of a descriptor that is ready never waits for: of a pipe that much has room then. A
/// regular file takes everything.
std::size_t most_at_once(int descriptor) {
  struct stat info {};
  const bool is_file = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  return is_file ? std::string_view::npos : PIPE_BUF;
}

class PipeSource final : public PacketSource {
 public:
  PipeSource(const std::string& path, const WireExpectation& expected)
      : file_(path), reader_(file_.descriptor(), file_.path(), expected, kPatient, tally_) {}

  PacketEvent read(std::chrono::milliseconds timeout) override {
    if (is_over_) return PacketEvent::kEnded;
    const PacketEvent event = reader_.read(deadline_in(timeout));
    is_over_ = event == PacketEvent::kStopped || event == PacketEvent::kEnded;
    return event;
  }
  const StreamHeader& header() const noexcept override { return reader_.header(); }
  const Packet& packet() const noexcept override { return reader_.packet(); }
  PacketStats stats() const override { return tally_.snapshot(); }
  std::string status() const override {
    return fmt::format("{}: {}", file_.path(), summary(stats()));
  }

 private:
  // Whoever set up a pipe may take the time to type its first command.
  static constexpr SenderTimeouts kPatient{
      std::chrono::milliseconds(0), std::chrono::milliseconds(0), std::chrono::milliseconds(0)};

  InputFile file_;
  PacketTally tally_;
  PacketReader reader_;
  bool is_over_ = false;
};

class PipeSink final : public PacketSink {
 public:
  PipeSink(Descriptor owned, int descriptor, std::string what, const StreamHeader& header,
           std::optional<std::chrono::milliseconds> stall)
      : owned_(std::move(owned)),
        descriptor_(descriptor),
        what_(std::move(what)),
        header_(header),
        stall_(stall),
        most_at_once_(most_at_once(descriptor)) {
    check(header, what_.c_str());
    stats_.receivers = stats_.received_by = 1;
    put(encode(header));
  }

  const StreamHeader& header() const noexcept override { return header_; }

  // The header goes first of all, so that a reader may prepare itself.
  bool describe(const std::string&, const std::vector<std::string>&) override { return false; }

  void write(const Packet& packet) override {
    if (packet.frames > header_.packet_frames) {
      throw Error(ErrorKind::kOutput, fmt::format("cannot write {}: the packet has {} frames; "
                                                  "allowed: up to {}",
                                                  what_, packet.frames, header_.packet_frames));
    }
    put(encode(header_, order_.number(packet)));
    const std::lock_guard lock(mutex_);
    ++stats_.packets;
    stats_.frames += static_cast<std::int64_t>(packet.frames);
  }

  void finish() override {
    const std::optional<Packet> end = order_.end();
    if (!end) return;
    write(*end);
    if (stall_) ::shutdown(descriptor_, SHUT_WR);
  }

  SinkStats stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }
  std::string status() const override { return fmt::format("{}: {}", what_, summary(stats())); }

 private:
  void put(std::string_view bytes) {
    while (!bytes.empty()) {
      // A connection does not block and may not raise SIGPIPE; a pipe may do both, and a write that
      // waits inside of the system would not see that the program is asked to stop.
      if (!stall_) wait();
      const ssize_t done =
          stall_ ? ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                 : ::write(descriptor_, bytes.data(), std::min(bytes.size(), most_at_once_));
      if (done >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(done));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        wait();
      } else if (errno != EINTR || stop_requests() >= 2) {
        fail(std::generic_category().message(errno));
      }
    }
  }

  /// Until something more can be written. Once the program is asked to stop, the end is near: all
  /// waits together take no longer than kAfterStop.
  void wait() {
    const auto stall = stall_.value_or(std::chrono::hours(24 * 365));
    if (stop_requests() == 0) {
      switch (wait_writable(descriptor_, deadline_in(stall), 1)) {
        case Readiness::kReady:
          return;
        case Readiness::kTimedOut:
          fail(fmt::format("it takes nothing for {} ms", stall.count()));
        case Readiness::kInterrupted:
          break;
      }
    }
    if (!end_) end_ = deadline_in(kAfterStop);
    switch (wait_writable(descriptor_, *end_, 2)) {
      case Readiness::kReady:
        return;
      case Readiness::kTimedOut:
        fail(fmt::format("it has not taken the rest within {} ms of the stop", kAfterStop.count()));
      case Readiness::kInterrupted:
        fail("interrupted");
    }
  }

  [[noreturn]] void fail(const std::string& why) {
    const std::string line = fmt::format("cannot write {}: {}", what_, why);
    {
      const std::lock_guard lock(mutex_);
      stats_.receivers = 0;
      stats_.last_error = line;
    }
    throw Error(ErrorKind::kOutput, line);
  }

  Descriptor owned_;
  int descriptor_;
  std::string what_;
  StreamHeader header_;
  std::optional<std::chrono::milliseconds> stall_;  // of a connection
  std::size_t most_at_once_;
  std::optional<Deadline> end_;  // since the program was asked to stop
  PacketOrder order_;
  mutable std::mutex mutex_;
  SinkStats stats_;
};

}  // namespace

std::unique_ptr<PacketSource> open_packets(const std::string& path,
                                           const WireExpectation& expected) {
  return std::make_unique<PipeSource>(path, expected);
}

std::unique_ptr<PacketSink> create_packets(const std::string& path, const StreamHeader& header) {
  if (path == "-") {
    return std::make_unique<PipeSink>(Descriptor(), STDOUT_FILENO, "standard output", header,
                                      std::nullopt);
  }
  check(header, path.c_str());  // before a file is made
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) {
    throw Error(ErrorKind::kOutput,
                fmt::format("cannot write {}: {}", path, std::generic_category().message(errno)));
  }
  const int descriptor = file.number();
  return std::make_unique<PipeSink>(std::move(file), descriptor, path, header, std::nullopt);
}

std::unique_ptr<PacketSink> send_packets(const TcpAddress& address, const StreamHeader& header,
                                         std::chrono::milliseconds timeout,
                                         std::chrono::milliseconds stall) {
  const std::string what = "tcp " + to_string(address);
  check(header, what.c_str());
  std::string why;
  Descriptor connection = connect_to(address, timeout, why);
  if (!connection) {
    throw Error(ErrorKind::kOutput, fmt::format("cannot connect to {}: {}", what, why));
  }
  const int descriptor = connection.number();
  return std::make_unique<PipeSink>(std::move(connection), descriptor, what, header, stall);
}

}  // namespace firbank
