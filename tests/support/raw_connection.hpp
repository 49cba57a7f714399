// A TCP connection for tests, over which any bytes can be sent, and a wait for what other threads
// do.
#pragma once

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "io/socket.hpp"
#include "tests/support/packets.hpp"

namespace firbank::packets_test {

inline TcpAddress local() {
  return {"127.0.0.1", 0};
}

/// Whether it becomes true within a minute.
template <class Condition>
bool comes_true(Condition condition) {
  const Deadline deadline = deadline_in(kLong);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class RawConnection {
 public:
  explicit RawConnection(const TcpAddress& address) {
    std::string why;
    connection_ = connect_to(address, kLong, why);
    EXPECT_TRUE(connection_) << why;
  }
  RawConnection(const TcpAddress& address, std::string_view bytes) : RawConnection(address) {
    EXPECT_TRUE(send(bytes));
  }

  /// False when the other side has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::send(connection_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (done > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(done));
      } else if (errno != EAGAIN ||
                 wait_writable(connection_.number(), deadline_in(kLong)) != Readiness::kReady) {
        return false;
      }
    }
    return true;
  }

  /// What comes until `text` has, or the other side closes the connection, or a minute is over;
  /// with an empty text all of it.
  std::string receive_until(std::string_view text) {
    std::string received;
    std::array<char, 4'096> piece{};
    const Deadline deadline = deadline_in(kLong);
    while (text.empty() || received.find(text) == received.npos) {
      if (wait_readable(connection_.number(), deadline) != Readiness::kReady) break;
      const ssize_t got = ::recv(connection_.number(), piece.data(), piece.size(), 0);
      if (got > 0) received.append(piece.data(), static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN)) break;
    }
    return received;
  }

  /// Whether the other side closes the connection within a minute.
  bool is_closed() {
    char byte = 0;
    while (wait_readable(connection_.number(), deadline_in(kLong)) == Readiness::kReady) {
      const ssize_t got = ::recv(connection_.number(), &byte, 1, 0);
      if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
      if (got < 0 && errno != EAGAIN) return false;
    }
    return false;
  }

  void close() { connection_.close(); }

 private:
  Descriptor connection_;
};

}  // namespace firbank::packets_test
