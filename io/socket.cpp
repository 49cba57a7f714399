#include "io/socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/interruption.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr std::chrono::milliseconds kSlice(50);  // between two looks at stop_requests()
constexpr int kBacklog = 64;

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses look_up(const TcpAddress& address, int flags, std::string& why) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                  std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) why = ::gai_strerror(error);
  return Addresses(error == 0 ? found : nullptr, &::freeaddrinfo);
}

std::string text_of(const sockaddr_storage& storage, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&storage), length, host.data(), host.size(),
                    port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "somebody";
  }
  return storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host.data(), port.data())
                                       : fmt::format("{}:{}", host.data(), port.data());
}

void prepare(int connection) noexcept {
  const int on = 1;
  // Packets are small and late ones useless; a host that has gone shows in minutes, not hours.
  ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int seconds = 20;
  ::setsockopt(connection, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  ::setsockopt(connection, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

std::string message_of(int error) {
  return std::generic_category().message(error);
}

std::uint16_t port_of(int descriptor) noexcept {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  return ntohs(storage.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

Readiness wait_for(pollfd* descriptors, nfds_t count, Deadline deadline, int stops) noexcept {
  while (true) {
    if (stop_requests() >= stops) return Readiness::kInterrupted;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto slice = std::clamp(left, std::chrono::milliseconds(0), kSlice);
    const int ready = ::poll(descriptors, count, static_cast<int>(slice.count()));
    if (ready > 0) return Readiness::kReady;
    if (ready < 0 && errno != EINTR) return Readiness::kReady;  // the call that follows says why
    if (left <= kSlice && ready == 0) return Readiness::kTimedOut;
  }
}

}  // namespace

void Descriptor::close() noexcept {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

TcpAddress parse_tcp_address(std::string_view text) {
  const auto fail = [text](std::string_view why) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("TCP address '{}': {}; allowed: HOST:PORT, [IPV6]:PORT or :PORT, with "
                            "ports 0 to 65535",
                            one_line(text), why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) fail("it has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port > 65'535) {
    fail(fmt::format("its port is '{}'", one_line(digits)));
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    fail("its host has a colon and no brackets");
  }
  if (host.size() > 255 || host.find('\0') != host.npos) fail("its host is no name");
  return {std::string(host), static_cast<std::uint16_t>(port)};
}

std::string to_string(const TcpAddress& address) {
  const bool is_ipv6 = address.host.find(':') != address.host.npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

Descriptor listen_on(TcpAddress& address) {
  std::string why = "there is no such address";
  const Addresses addresses = look_up(address, AI_PASSIVE, why);
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    Descriptor listener(
        ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol));
    const int on = 1;
    if (listener) {
      ::setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      if (::bind(listener.number(), at->ai_addr, at->ai_addrlen) == 0 &&
          ::listen(listener.number(), kBacklog) == 0) {
        address.port = port_of(listener.number());
        return listener;
      }
    }
    why = message_of(errno);
  }
  throw Error(ErrorKind::kConfiguration,
              fmt::format("cannot listen on TCP {}: {}", to_string(address), why));
}

Descriptor connect_to(const TcpAddress& address, std::chrono::milliseconds timeout,
                      std::string& why) {
  const Deadline deadline = deadline_in(timeout);
  why = "there is no such address";
  const Addresses addresses = look_up(address, 0, why);
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    Descriptor connection(
        ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol));
    if (!connection) {
      why = message_of(errno);
      continue;
    }
    int error = 0;
    if (::connect(connection.number(), at->ai_addr, at->ai_addrlen) != 0) error = errno;
    if (error == EINPROGRESS || error == EINTR) {
      switch (wait_writable(connection.number(), deadline, 1)) {
        case Readiness::kReady: {
          socklen_t length = sizeof error;
          if (::getsockopt(connection.number(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
            error = errno;
          }
          break;
        }
        case Readiness::kTimedOut:
          error = ETIMEDOUT;
          break;
        case Readiness::kInterrupted:
          error = EINTR;
          break;
      }
    }
    if (error == 0) {
      prepare(connection.number());
      return connection;
    }
    why = message_of(error);
  }
  return {};
}

Descriptor accept_from(const Descriptor& listener, std::string& peer) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  Descriptor connection(::accept4(listener.number(), reinterpret_cast<sockaddr*>(&storage), &length,
                                  SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection) {
    peer = text_of(storage, length);
    prepare(connection.number());
  }
  return connection;
}

Deadline deadline_in(std::chrono::milliseconds timeout) noexcept {
  const auto most = std::chrono::hours(24 * 365);
  return std::chrono::steady_clock::now() +
         std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds(0), most);
}

Readiness wait_readable(int descriptor, Deadline deadline) noexcept {
  pollfd one{descriptor, POLLIN, 0};
  return wait_for(&one, 1, deadline, 1);
}

Readiness wait_readable(std::span<const int> descriptors, Deadline deadline) {
  std::vector<pollfd> all;
  for (const int descriptor : descriptors) all.push_back({descriptor, POLLIN, 0});
  return wait_for(all.data(), all.size(), deadline, 1);
}

Readiness wait_writable(int descriptor, Deadline deadline, int stops) noexcept {
  pollfd one{descriptor, POLLOUT, 0};
  return wait_for(&one, 1, deadline, stops);
}

}  // namespace firbank
