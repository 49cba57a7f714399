#include "io/tcp_source.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/interruption.hpp"

namespace firbank {
namespace {

constexpr std::chrono::milliseconds kSlice(50);  // between two looks at who else connects

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
    if (!reader_) {
      const PacketEvent event = listener_ ? accept(deadline) : reach(deadline);
      if (!reader_) return event;
    }
    if (reader_->has_header()) refuse_others();
    const PacketEvent event =
        reader_->read(std::min(deadline, std::chrono::steady_clock::now() + kSlice));
    switch (event) {
      case PacketEvent::kNothing:
        if (std::chrono::steady_clock::now() >= deadline) return event;
        break;
      case PacketEvent::kStarted:
        header_ = reader_->header();
        return event;
      case PacketEvent::kPacket:
        packet_ = reader_->packet();
        return event;
      case PacketEvent::kEnded:
        is_over_ = true;
        break;
      case PacketEvent::kStopped: {
        const bool had_begun = reader_->has_header();
        reader_.reset();
        connection_.close();
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

PacketEvent TcpSource::accept(Deadline deadline) {
  while (true) {
    switch (wait_readable(listener_.number(), deadline)) {
      case Readiness::kInterrupted:
        is_over_ = true;
        return PacketEvent::kEnded;
      case Readiness::kTimedOut:
        return PacketEvent::kNothing;
      case Readiness::kReady:
        break;
    }
    std::string peer;
    Descriptor connection = accept_from(listener_, peer);
    if (connection) {
      use(std::move(connection), peer);
      return PacketEvent::kNothing;
    }
    // It went away again, or this process has no descriptor left.
    if (std::chrono::steady_clock::now() >= deadline) return PacketEvent::kNothing;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
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
        use(std::move(connection), to_string(address_));
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

void TcpSource::refuse_others() {
  if (!listener_ || wait_readable(listener_.number(), {}) != Readiness::kReady) {
    refusal_ = Deadline::max();
    return;
  }
  if (refusal_ == Deadline::max()) refusal_ = deadline_in(options_.refuse_after);
  if (std::chrono::steady_clock::now() < refusal_) return;
  std::string peer;
  while (accept_from(listener_, peer)) tally_.refuse();
}

void TcpSource::use(Descriptor connection, const std::string& peer) {
  connection_ = std::move(connection);
  refusal_ = Deadline::max();
  reader_.emplace(connection_.number(), "tcp " + peer, options_.expected, options_.timeouts,
                  tally_);
}

std::string TcpSource::status() const {
  return fmt::format("tcp {} {}: {}", listener_ ? "at" : "from", to_string(address_),
                     summary(stats()));
}

}  // namespace firbank
