#include "demos/firbank/monitor/client_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

namespace firbank::program {
namespace {

using Clock = std::chrono::steady_clock;

/// Whether the socket is ready for `events` before `deadline`.
bool wait_for(socket_t socket, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd one{socket, events, 0};
    const int ready = poll(&one, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    return false;
  }
}

}  // namespace

ClientStream::ClientStream(socket_t socket, const ClientLimits& limits)
    : socket_(socket),
      limits_(limits),
      deadline_(Clock::now() + limits.request_time),
      bytes_left_(limits.request_bytes) {}

bool ClientStream::is_readable() const {
  return begin_ < end_ || wait_for(socket_, POLLIN, deadline_);
}

bool ClientStream::is_writable() const {
  return wait_for(socket_, POLLOUT, Clock::now() + limits_.write_time);
}

ssize_t ClientStream::read(char* to, size_t size) {
  if (begin_ == end_ && !fill()) return -1;
  const std::size_t count = std::min(size, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

bool ClientStream::fill() {
  if (bytes_left_ == 0) {
    was_too_long_ = true;
    return false;
  }
  if (!wait_for(socket_, POLLIN, deadline_)) {
    was_too_slow_ = true;
    return false;
  }
  const ssize_t count = recv(socket_, buffer_.data(), std::min(buffer_.size(), bytes_left_), 0);
  if (count <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(count);
  bytes_left_ -= end_;
  return true;
}

ssize_t ClientStream::write(const char* from, size_t size) {
  was_answered_ = true;
  const Clock::time_point until = Clock::now() + limits_.write_time;
  std::size_t done = 0;
  while (done < size) {
    if (!wait_for(socket_, POLLOUT, until)) return -1;
    const ssize_t count = send(socket_, from + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return -1;
    done += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(size);
}

// Nothing is logged, so nobody asks who it was.
void ClientStream::get_remote_ip_and_port(std::string& address, int& port) const {
  address.clear();
  port = 0;
}

void ClientStream::get_local_ip_and_port(std::string& address, int& port) const {
  address.clear();
  port = 0;
}

void ClientStream::finish() {
  constexpr auto kMoment = std::chrono::milliseconds(200);
  constexpr std::size_t kMostBytes = 1 << 20;
  shutdown(socket_, SHUT_WR);
  const Clock::time_point until = Clock::now() + kMoment;
  std::size_t total = 0;
  while (total < kMostBytes && wait_for(socket_, POLLIN, until)) {
    const ssize_t count = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count <= 0) break;
    total += static_cast<std::size_t>(count);
  }
}

}  // namespace firbank::program
