#include "io/tcp_source.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/interruption.hpp"

namespace firbank {
namespace {

constexpr std::chrono::milliseconds kSlice(50);  // between two looks at who else connects
constexpr std::size_t kMostWaiting = 16;         // others wait to be accepted

}  // namespace

TcpSource::TcpSource(TcpAddress address, const TcpSourceOptions& options, Descriptor listener)
    : address_(std::move(address)), options_(options), listener_(std::move(listener)) {}

std::unique_ptr<TcpSource> TcpSource::listen(const TcpAddress& address,
                                             const TcpSourceOptions& options) {
  TcpAddress real = address;
  Descriptor listener = listen_on(real);
  return std::unique_ptr<TcpSource>(new TcpSource(real, options, std::move(listener)));
}

std::unique_ptr<TcpSource> TcpSource::connect(const TcpAddress& address,
                                              const TcpSourceOptions& options) {
  return std::unique_ptr<TcpSource>(new TcpSource(address, options, Descriptor()));
}

PacketEvent TcpSource::read(std::chrono::milliseconds timeout) {
  const Deadline deadline = deadline_in(timeout);
  packet_ = {};
  while (!is_over_) {
    if (senders_.empty()) {
      const PacketEvent event = listener_ ? await_sender(deadline) : reach(deadline);
      if (event != PacketEvent::kNothing || senders_.empty()) return event;
    }
    if (std::exchange(is_start_due_, false)) {
      header_ = senders_.front().reader.header();
      return PacketEvent::kStarted;
    }
    if (hand_over()) return PacketEvent::kStopped;
    refuse_others();
    PacketReader& reader = senders_.front().reader;
    const PacketEvent event =
        reader.read(std::min(deadline, std::chrono::steady_clock::now() + kSlice));
    switch (event) {
      case PacketEvent::kNothing:
        if (std::chrono::steady_clock::now() >= deadline) return event;
        break;
      case PacketEvent::kStarted:
        has_noted_refusal_ = false;
        header_ = reader.header();
        return event;
      case PacketEvent::kPacket:
        packet_ = reader.packet();
        return event;
      case PacketEvent::kEnded:
        is_over_ = true;
        break;
      case PacketEvent::kStopped: {
        const bool had_begun = reader.has_header();
        senders_.clear();
        next_attempt_ = std::chrono::steady_clock::now() + options_.retry;
        is_over_ = !options_.again;
        // Of a stream that never began, nobody was told.
        if (had_begun) return event;
        break;
      }
    }
  }
  return PacketEvent::kEnded;
}

/// Waits until the header of one of those who connect is complete: kStarted.
PacketEvent TcpSource::await_sender(Deadline deadline) {
  while (true) {
    const bool is_full = !accept_some();
    std::vector<int> descriptors{listener_.number()};
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto one = at++;
      switch (one->reader.read(std::chrono::steady_clock::now())) {
        case PacketEvent::kStarted:
          senders_.splice(senders_.end(), waiting_, one);
          refusal_ = Deadline::max();
          has_noted_refusal_ = false;
          header_ = one->reader.header();
          return PacketEvent::kStarted;
        case PacketEvent::kStopped:
          waiting_.erase(one);
          break;
        case PacketEvent::kEnded:
          is_over_ = true;
          return PacketEvent::kEnded;
        case PacketEvent::kNothing:
        case PacketEvent::kPacket:
          descriptors.push_back(one->connection.number());
          break;
      }
    }
    const auto now = std::chrono::steady_clock::now();
    if (is_full && !waiting_.empty() &&
        wait_readable(listener_.number(), now) == Readiness::kReady) {
      // The first has been looked at, and makes room.
      tally_.drop(
          fmt::format("tcp {}: nothing came from it, and others wait", waiting_.front().peer));
      waiting_.pop_front();
    }
    // Up to a slice, after which the timers of those who wait are looked at.
    if (wait_readable(descriptors, std::min(deadline, now + kSlice)) == Readiness::kInterrupted) {
      is_over_ = true;
      return PacketEvent::kEnded;
    }
    if (now >= deadline) return PacketEvent::kNothing;
  }
}

/// Those who have connected, as many as may wait; false when there may be more.
bool TcpSource::accept_some() {
  while (waiting_.size() < kMostWaiting) {
    std::string peer;
    Descriptor connection = accept_from(listener_, peer);
    if (!connection) {
      // Where this process has no descriptor left, the listener stays ready.
      if (errno == EMFILE || errno == ENFILE) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return true;
    }
    waiting_.emplace_back(std::move(connection), peer, options_, tally_);
  }
  return false;
}

PacketEvent TcpSource::reach(Deadline deadline) {
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    if (stop_requests() > 0) {
      is_over_ = true;
      return PacketEvent::kEnded;
    }
    if (now >= next_attempt_) {
      std::string why;
      Descriptor connection = connect_to(address_, options_.connect_timeout, why);
      if (connection) {
        senders_.emplace_back(std::move(connection), to_string(address_), options_, tally_);
        return PacketEvent::kNothing;
      }
      tally_.note(fmt::format("cannot connect to tcp {}: {}", to_string(address_), why));
      next_attempt_ = std::chrono::steady_clock::now() + options_.retry;
      if (!options_.again) {
        is_over_ = true;
        return PacketEvent::kEnded;
      }
    }
    if (now >= deadline) return PacketEvent::kNothing;
    std::this_thread::sleep_until(std::min({deadline, next_attempt_, now + kSlice}));
  }
}

/// Whether the sender has been silent for long, and another one, whose header is complete, takes
/// its place: one that connects and says nothing is no reason to let go of one that has a pause.
bool TcpSource::hand_over() {
  const auto now = std::chrono::steady_clock::now();
  if (!listener_ || options_.idle.count() == 0) return false;
  if (now - senders_.front().reader.last_heard() < options_.idle) return false;
  accept_some();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto one = at++;
    const PacketEvent event = one->reader.read(now);
    if (event == PacketEvent::kStopped) waiting_.erase(one);
    if (event != PacketEvent::kStarted) continue;
    tally_.drop(fmt::format("tcp {}: it has sent nothing for {} ms, and {} takes over",
                            senders_.front().peer, options_.idle.count(), one->peer));
    senders_.clear();
    senders_.splice(senders_.end(), waiting_, one);
    refusal_ = Deadline::max();
    has_noted_refusal_ = false;
    is_start_due_ = true;
    return true;
  }
  return false;
}

void TcpSource::refuse_others() {
  if (!listener_) return;
  const auto now = std::chrono::steady_clock::now();
  if (waiting_.empty() && wait_readable(listener_.number(), now) != Readiness::kReady) {
    refusal_ = Deadline::max();
    return;
  }
  if (refusal_ == Deadline::max()) refusal_ = deadline_in(options_.refuse_after);
  if (std::chrono::steady_clock::now() < refusal_) return;
  accept_some();
  for (; !waiting_.empty(); waiting_.pop_front()) {
    tally_.refuse();
    // One that tries again and again is told of once.
    if (std::exchange(has_noted_refusal_, true)) continue;
    tally_.note(fmt::format("tcp {}: turned away, as {} is the sender", waiting_.front().peer,
                            senders_.front().peer));
  }
}

std::string TcpSource::status() const {
  return fmt::format("tcp {} {}: {}", listener_ ? "at" : "from", to_string(address_),
                     summary(stats()));
}

}  // namespace firbank
