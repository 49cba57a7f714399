// A ZeroMQ socket with a context of its own, owned.
//
// Thread: one at a time.  Realtime: no.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace firbank {

class ZeromqSocket {
 public:
  /// `type` is one of libzmq's. Throws: Error (kConfiguration) naming `endpoint`.
  ZeromqSocket(int type, const std::string& endpoint);
  /// Waits for what is under way, as long as the linger option says.
  ~ZeromqSocket();
  ZeromqSocket(const ZeromqSocket&) = delete;
  ZeromqSocket& operator=(const ZeromqSocket&) = delete;

  void set(int option, int value);
  void set(int option, std::int64_t value);
  void set(int option, const std::string& value);

  /// Throws: Error (kConfiguration).
  void bind();
  void connect();

  /// As it was given, or as bind() has completed it.
  const std::string& endpoint() const noexcept { return endpoint_; }

  /// Sends a part without waiting; false when that is not possible.
  bool send(const std::string& bytes, bool more_follow) noexcept;

  /// Receives a part without waiting; false when there is none.
  bool receive(std::string& bytes, bool& more_follow);

  /// Whether there is something to be received within the time.
  bool wait(std::chrono::milliseconds timeout) noexcept;

 private:
  [[noreturn]] void fail(const char* what) const;
  void set(int option, const void* value, std::size_t bytes);

  std::string endpoint_;
  std::unique_ptr<void, int (*)(void*)> context_;
  std::unique_ptr<void, int (*)(void*)> socket_;
};

/// Throws: Error (kConfiguration) naming `what` for a topic or a high-water mark that is not
/// allowed.
void check_zeromq(const std::string& what, const std::string& topic, int high_water_mark);

}  // namespace firbank
