#include "demos/firbank/monitor/server.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "demos/firbank/monitor/client_pool.hpp"
#include "demos/firbank/monitor/request_body.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

/// What this thread serves; httplib's handlers do not get to see it.
thread_local ClientStream* served = nullptr;

HttpRequest what_is_asked(const httplib::Request& from) {
  HttpRequest request;
  request.method = from.method;
  request.path = from.path;
  const std::size_t query = from.target.find('?');
  if (query != from.target.npos) request.query = from.target.substr(query + 1);
  request.host = from.get_header_value("Host");
  request.origin = from.get_header_value("Origin");
  request.authorization = from.get_header_value("Authorization");
  request.content_type = from.get_header_value("Content-Type");
  request.content_encoding = from.get_header_value("Content-Encoding");
  request.content_length = from.get_header_value("Content-Length");
  request.body = from.body;
  return request;
}

void fill(httplib::Response& response, const HttpReply& reply) {
  response.status = reply.status;
  if (!reply.allow.empty()) response.set_header("Allow", reply.allow);
  response.set_content(reply.body, reply.content_type.c_str());
}

}  // namespace

class MonitorServer::Http final : public httplib::Server {
 public:
  Http(Routes& routes, const ServerLimits& limits) : routes_(routes), limits_(limits) {
    new_task_queue = [limits] { return new ClientPool(limits.threads, limits.waiting); };
    // Not httplib's own choice, by which two programs could share a port.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_tcp_nodelay(true);
    set_payload_max_length(kMostBodyBytes);
    set_default_headers({
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
         "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Content-Type-Options", "nosniff"},
    });
    // Before httplib looks for a handler, which it does by regular expressions, and reads a body.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      std::optional<HttpReply> reply = routes_.answer_head(what_is_asked(request));
      if (!reply) return HandlerResponse::Unhandled;
      if (reply->watcher) {
        stream_events(response, reply->watcher);
      } else {
        fill(response, *reply);
      }
      return HandlerResponse::Handled;
    });
    Post("/api/.*", [this](const httplib::Request& request, httplib::Response& response) {
      fill(response, routes_.answer_body(what_is_asked(request)));
    });
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) fill(response, explanation(response.status));
    });
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          fill(response, Routes::refusal(500, "the monitor failed"));
        });
  }

  void end() {
    ending_ = true;
    stop();
  }

 private:
  /// What httplib refused by itself.
  static HttpReply explanation(int status) {
    if (status == 413) {
      return Routes::refusal(
          status, fmt::format("the body is too long; allowed: up to {} bytes", kMostBodyBytes));
    }
    if (served != nullptr && (served->was_too_long() || served->was_too_slow())) {
      return what_ended(*served);
    }
    return Routes::refusal(
        status, status == 414 ? "the path is too long" : "the request is not understood");
  }

  /// Of a request that was not read to its end.
  static HttpReply what_ended(const ClientStream& stream) {
    return stream.was_too_long() ? Routes::refusal(431, "the request is too long")
                                 : Routes::refusal(408, "the request came too slowly");
  }

  void stream_events(httplib::Response& response, const std::shared_ptr<RunWatcher>& watcher) {
    if (watchers_.fetch_add(1) >= limits_.watchers) {
      --watchers_;
      return fill(response, Routes::refusal(503, "too many watch already"));
    }
    // Counted until httplib forgets the response.
    const std::shared_ptr<void> place(nullptr, [this](void*) { --watchers_; });
    response.set_chunked_content_provider(
        "text/event-stream", [this, place, watcher](std::size_t offset, httplib::DataSink& sink) {
          if (offset > 0) std::this_thread::sleep_for(limits_.event_interval);
          if (ending_) return false;
          const std::string moment = Routes::event_text(*watcher);
          return sink.write(moment.data(), moment.size());
        });
  }

  bool process_and_close_socket(socket_t socket) override {
    ClientStream stream(socket, limits_.client);
    bool served_well = false;
    if (ClientPool::turns_away()) {
      turn_away(socket);
    } else {
      served = &stream;
      bool closed = false;
      served_well = process_request(stream, true, closed, [](httplib::Request& request) {
        // All or nothing: of many ranges an answer would be made that is many times as long.
        request.ranges.clear();
      });
      served = nullptr;
      const bool is_unanswered =
          (stream.was_too_long() || stream.was_too_slow()) && !stream.was_answered();
      // httplib says nothing of a first line that does not end.
      if (is_unanswered) {
        const std::string reply = as_text(what_ended(stream));
        stream.write(reply.data(), reply.size());
      }
      if (!ending_) stream.finish();
    }
    close(socket);
    return served_well;
  }

  static std::string as_text(const HttpReply& reply) {
    return fmt::format(
        "HTTP/1.1 {} \r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}",
        reply.status, reply.body.size(), reply.body);
  }

  /// In the thread that accepts, so without waiting for anything.
  static void turn_away(socket_t socket) {
    const std::string reply = as_text(Routes::refusal(503, "too many clients"));
    std::array<char, 4'096> request{};
    // Left unread it would take the answer with it.
    recv(socket, request.data(), request.size(), MSG_DONTWAIT);
    send(socket, reply.data(), reply.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(socket, SHUT_WR);
  }

  Routes& routes_;
  const ServerLimits limits_;
  std::atomic<std::size_t> watchers_{0};
  std::atomic<bool> ending_{false};
};

MonitorServer::MonitorServer(Routes& routes, const std::string& address, int port,
                             const ServerLimits& limits)
    : http_(std::make_unique<Http>(routes, limits)) {
  errno = 0;
  if (port == 0) {
    port_ = http_->bind_to_any_port(address);
  } else if (http_->bind_to_port(address, port)) {
    port_ = port;
  } else {
    port_ = -1;
  }
  const int reason = errno;
  if (port_ < 0) {
    const std::string why = reason == EADDRINUSE      ? "another program has it"
                            : reason == EACCES        ? "it is not allowed to this user"
                            : reason == EADDRNOTAVAIL ? "this machine has no such address"
                                                      : "it cannot be listened at";
    throw Error(ErrorKind::kOutput, fmt::format("--monitor {} at {}: {}", port, address, why));
  }
  thread_ = std::thread([this] {
    leave_real_time();
    http_->listen_after_bind();
  });
  // stop() has no effect on a server that does not listen yet.
  while (!http_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

MonitorServer::~MonitorServer() {
  stop();
}

void MonitorServer::stop() {
  if (!thread_.joinable()) return;
  http_->end();
  thread_.join();
}

}  // namespace firbank::program
