// Sockets and descriptors as far as packets need them: owned, never blocking for longer than told.
//
// Thread: any; one descriptor at a time by one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace firbank {

/// A file descriptor that is closed with its owner; -1 for none.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }

  void close() noexcept;
  int number() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

 private:
  int number_ = -1;
};

struct TcpAddress {
  std::string host;        // a name or an address; empty: every one of this machine, to listen on
  std::uint16_t port = 0;  // 0, to listen on: one that is free
};

/// "localhost:4000", "192.168.1.7:4000", "[::1]:4000", ":4000".
/// Throws: Error (kConfiguration) naming the text and what is allowed.
TcpAddress parse_tcp_address(std::string_view text);

std::string to_string(const TcpAddress& address);

/// A socket that others can connect to; `address.port` becomes the one it has.
/// Throws: Error (kConfiguration) naming the address and why not.
Descriptor listen_on(TcpAddress& address);

/// A connection, or none with `why` said. Takes up to `timeout`, for an address; looking up a name
/// takes what the system takes.
Descriptor connect_to(const TcpAddress& address, std::chrono::milliseconds timeout,
                      std::string& why);

/// The next connection that waits at a listening socket, or none; never blocks. `peer` becomes
/// "192.168.1.7:40312".
Descriptor accept_from(const Descriptor& listener, std::string& peer);

/// A moment to wait for; from far away in the future, never.
using Deadline = std::chrono::steady_clock::time_point;
Deadline deadline_in(std::chrono::milliseconds timeout) noexcept;

enum class Readiness { kReady, kTimedOut, kInterrupted };

/// Waits until the descriptor can be read (or written), up to the deadline. A closed or broken one
/// is ready. Interrupted when stop_requests() is at least `stops`, as seen within 50 ms.
Readiness wait_readable(int descriptor, Deadline deadline) noexcept;
Readiness wait_writable(int descriptor, Deadline deadline, int stops = 2) noexcept;

/// The same for whichever of several comes first.
Readiness wait_readable(std::span<const int> descriptors, Deadline deadline);

}  // namespace firbank
