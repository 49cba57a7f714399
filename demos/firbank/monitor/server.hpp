// MonitorServer: HTTP for Routes. Every connection serves one request and is closed; so many are
// served at a time, each within ClientLimits; events go to so many watchers.
//
// Thread: one at a time. It has threads of its own, which end with it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include "demos/firbank/monitor/client_stream.hpp"
#include "demos/firbank/monitor/routes.hpp"

namespace firbank::program {

struct ServerLimits {
  ClientLimits client;
  std::size_t threads = 16;  // clients that are served at a time
  std::size_t waiting = 32;  // that wait for one of them; others get status 503
  std::size_t watchers = 8;  // of events, less than `threads`; others get status 503
  std::chrono::milliseconds event_interval{66};
};

class MonitorServer {
 public:
  /// Listens at `address`, a number or localhost; `port` 0 takes any that is free. Throws: Error
  /// (kOutput) when it cannot, as another program has the port.
  MonitorServer(Routes& routes, const std::string& address, int port,
                const ServerLimits& limits = {});
  ~MonitorServer();
  MonitorServer(const MonitorServer&) = delete;
  MonitorServer& operator=(const MonitorServer&) = delete;

  int port() const noexcept { return port_; }

  /// Ends all connections. What waits for the run's loop has to be answered by then.
  void stop();

 private:
  class Http;

  std::unique_ptr<Http> http_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace firbank::program
