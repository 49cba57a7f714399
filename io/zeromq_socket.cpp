#include "io/zeromq_socket.hpp"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <zmq.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank {

ZeromqSocket::ZeromqSocket(int type, const std::string& endpoint)
    : endpoint_(endpoint),
      context_(::zmq_ctx_new(), &::zmq_ctx_term),
      socket_(nullptr, &::zmq_close) {
  if (!context_) fail("no context");
  socket_.reset(::zmq_socket(context_.get(), type));
  if (!socket_) fail("no socket");
}

ZeromqSocket::~ZeromqSocket() = default;  // the socket first, which the context waits for

void ZeromqSocket::set(int option, int value) {
  set(option, &value, sizeof value);
}
void ZeromqSocket::set(int option, std::int64_t value) {
  set(option, &value, sizeof value);
}
void ZeromqSocket::set(int option, const std::string& value) {
  set(option, value.data(), value.size());
}
void ZeromqSocket::set(int option, const void* value, std::size_t bytes) {
  if (::zmq_setsockopt(socket_.get(), option, value, bytes) != 0) fail("an option is refused");
}

void ZeromqSocket::bind() {
  if (::zmq_bind(socket_.get(), endpoint_.c_str()) != 0) fail("cannot be bound");
  std::array<char, 1'024> real{};
  std::size_t length = real.size();
  if (::zmq_getsockopt(socket_.get(), ZMQ_LAST_ENDPOINT, real.data(), &length) == 0) {
    endpoint_ = real.data();
  }
}

void ZeromqSocket::connect() {
  if (::zmq_connect(socket_.get(), endpoint_.c_str()) != 0) fail("cannot be connected to");
}

bool ZeromqSocket::send(const std::string& bytes, bool more_follow) noexcept {
  const int flags = ZMQ_DONTWAIT | (more_follow ? ZMQ_SNDMORE : 0);
  int sent = -1;
  do {
    sent = ::zmq_send(socket_.get(), bytes.data(), bytes.size(), flags);
  } while (sent < 0 && ::zmq_errno() == EINTR);
  return sent >= 0;
}

bool ZeromqSocket::receive(std::string& bytes, bool& more_follow) {
  zmq_msg_t message;
  ::zmq_msg_init(&message);
  int got = -1;
  do {
    got = ::zmq_msg_recv(&message, socket_.get(), ZMQ_DONTWAIT);
  } while (got < 0 && ::zmq_errno() == EINTR);
  if (got >= 0) {
    bytes.assign(static_cast<const char*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message));
    more_follow = ::zmq_msg_more(&message) != 0;
  }
  ::zmq_msg_close(&message);
  return got >= 0;
}

bool ZeromqSocket::wait(std::chrono::milliseconds timeout) noexcept {
  zmq_pollitem_t item{socket_.get(), 0, ZMQ_POLLIN, 0};
  return ::zmq_poll(&item, 1, static_cast<long>(timeout.count())) > 0;
}

void ZeromqSocket::fail(const char* what) const {
  throw Error(ErrorKind::kConfiguration, fmt::format("zeromq '{}': {}: {}", one_line(endpoint_),
                                                     what, ::zmq_strerror(::zmq_errno())));
}

void check_zeromq(const std::string& what, const std::string& topic, int high_water_mark) {
  constexpr std::size_t kMostTopicBytes = 255;
  constexpr int kMostMessages = 1'000'000;
  if (topic.size() > kMostTopicBytes) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("zeromq '{}': the topic has {} bytes; allowed: up to {}",
                            one_line(what), topic.size(), kMostTopicBytes));
  }
  if (high_water_mark < 1 || high_water_mark > kMostMessages) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("zeromq '{}': high-water mark is {}; allowed: 1 to {}", one_line(what),
                            high_water_mark, kMostMessages));
  }
}

}  // namespace firbank
