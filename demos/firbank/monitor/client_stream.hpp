// ClientStream: a client's socket as httplib reads and writes it, with limits that a client cannot
// stretch: a request has so many bytes and so many seconds in all, however slowly it drips, and
// what is written is taken within a time.
//
// Thread: one at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include <httplib.h>

namespace firbank::program {

struct ClientLimits {
  std::size_t request_bytes = 16'384;  // line, headers and body together
  std::chrono::milliseconds request_time{5'000};
  std::chrono::milliseconds write_time{2'000};  // of one write
};

class ClientStream final : public httplib::Stream {
 public:
  /// Does not own the socket.
  ClientStream(socket_t socket, const ClientLimits& limits);

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  socket_t socket() const override { return socket_; }

  /// Why reading ended before the request did.
  bool was_too_long() const noexcept { return was_too_long_; }
  bool was_too_slow() const noexcept { return was_too_slow_; }
  /// Whether anything was written.
  bool was_answered() const noexcept { return was_answered_; }

  /// Says that nothing more is written, and reads away what a client still sends, for a moment: a
  /// socket that is closed before that may take the answer with it.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  bool fill();

  socket_t socket_;
  ClientLimits limits_;
  Clock::time_point deadline_;
  std::size_t bytes_left_;
  std::array<char, 4'096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool was_too_long_ = false;
  bool was_too_slow_ = false;
  bool was_answered_ = false;
};

}  // namespace firbank::program
