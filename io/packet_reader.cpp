#include "io/packet_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "io/error.hpp"

namespace firbank {
namespace {

constexpr std::size_t kBufferBytes = 65'536;

Deadline timer_of(std::chrono::milliseconds timeout) {
  return timeout.count() == 0 ? Deadline::max() : deadline_in(timeout);
}

}  // namespace

PacketReader::PacketReader(int descriptor, std::string what, const WireExpectation& expected,
                           const SenderTimeouts& timeouts, PacketTally& tally)
    : descriptor_(descriptor),
      what_(std::move(what)),
      timeouts_(timeouts),
      tally_(tally),
      parser_(what_, expected),
      buffer_(kBufferBytes),
      timer_(timer_of(timeouts.header)),
      last_heard_(std::chrono::steady_clock::now()) {}

PacketEvent PacketReader::read(Deadline deadline) {
  if (is_over_) return PacketEvent::kStopped;
  try {
    return read_on(deadline);
  } catch (const Error& error) {
    is_over_ = true;
    if (parser_.is_inside_packet()) tally_.truncate(parser_.packet());
    tally_.drop(error.what());
    return PacketEvent::kStopped;
  }
}

PacketEvent PacketReader::read_on(Deadline deadline) {
  while (true) {
    if (has_ended_) {
      is_over_ = true;
      return PacketEvent::kStopped;
    }
    const WireParser::Event parsed = parser_.feed(rest_);
    if (parsed != WireParser::Event::kNothing) waiting_ = Waiting::kForHeader;  // a new timer
    set_timer();
    switch (parsed) {
      case WireParser::Event::kHeader:
        tally_.begin(parser_.header());
        return PacketEvent::kStarted;
      case WireParser::Event::kPacket:
        packet_ = parser_.packet();
        tally_.take(packet_);
        has_ended_ = has(packet_.flags, BlockFlags::kEndOfStream);
        return PacketEvent::kPacket;
      case WireParser::Event::kNothing:
        break;
    }
    PacketEvent event = PacketEvent::kNothing;
    if (!fill(deadline, event)) return event;
  }
}

/// Reads bytes into the empty buffer; false where there are none, for the reason in `event`.
bool PacketReader::fill(Deadline deadline, PacketEvent& event) {
  switch (wait_readable(descriptor_, std::min(deadline, timer_))) {
    case Readiness::kReady:
      break;
    case Readiness::kInterrupted:
      event = PacketEvent::kEnded;
      return false;
    case Readiness::kTimedOut:
      if (timer_ <= deadline) {
        const auto& [what, after] =
            waiting_ == Waiting::kForHeader   ? std::pair("no header", timeouts_.header)
            : waiting_ == Waiting::kForPacket ? std::pair("no packet", timeouts_.idle)
                                              : std::pair("half a packet", timeouts_.packet);
        throw Error(ErrorKind::kInput, fmt::format("{}: byte {}: {} after {} ms", what_,
                                                   parser_.position(), what, after.count()));
      }
      event = PacketEvent::kNothing;
      return false;
  }
  const ssize_t got = ::read(descriptor_, buffer_.data(), buffer_.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got < 0) {
    throw Error(ErrorKind::kInput, fmt::format("{}: byte {}: {}", what_, parser_.position(),
                                               std::generic_category().message(errno)));
  }
  if (got == 0) {
    parser_.finish();
    throw Error(ErrorKind::kInput,
                fmt::format("{}: byte {}: it ends without the packet that says so", what_,
                            parser_.position()));
  }
  last_heard_ = std::chrono::steady_clock::now();
  rest_ = {buffer_.data(), static_cast<std::size_t>(got)};
  return true;
}

/// Begins to wait for what comes next, when that is something else than before.
void PacketReader::set_timer() {
  const Waiting waiting = !parser_.has_header()        ? Waiting::kForHeader
                          : parser_.is_inside_packet() ? Waiting::kForSamples
                                                       : Waiting::kForPacket;
  if (waiting == waiting_) return;
  waiting_ = waiting;
  timer_ = timer_of(waiting == Waiting::kForPacket ? timeouts_.idle : timeouts_.packet);
}

}  // namespace firbank
