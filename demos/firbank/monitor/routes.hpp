// Routes: which answer belongs to which request. Knows nothing of sockets, so that all of it can be
// tried without one.
//
// Thread: any, several at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "demos/firbank/monitor/control_queue.hpp"
#include "demos/firbank/monitor/monitored_run.hpp"

namespace firbank::program {

/// What is asked. Headers that are missing are empty.
struct HttpRequest {
  std::string method;
  std::string path;
  std::string query;  // what follows the path's '?'
  std::string host;
  std::string origin;
  std::string authorization;
  std::string content_type;
  std::string content_encoding;
  std::string content_length;
  std::string body;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                    // of status 405: the methods that there are
  std::shared_ptr<RunWatcher> watcher;  // in place of a body: its event_text() again and again
};

class Routes {
 public:
  /// `address` and `token` are those that the server was told; the others live longer than this.
  Routes(MonitoredRun& run, ControlQueue& controls, std::string address, std::string token);

  /// What can be refused, or answered, before the body is read; nothing when the body is needed.
  std::optional<HttpReply> answer_head(const HttpRequest& request);

  /// The rest of a request for which answer_head() gave nothing. Waits for the run's loop.
  HttpReply answer_body(const HttpRequest& request);

  /// One event of the stream, as it is sent.
  static std::string event_text(RunWatcher& watcher);

  /// A status other than 200 with its one line: {"error":"..."}.
  static HttpReply refusal(int status, const std::string& why);

 private:
  std::optional<HttpReply> refuse_stranger(const HttpRequest& request) const;
  std::optional<HttpReply> refuse_change(const HttpRequest& request) const;
  bool is_change(std::string_view path) const;
  bool is_readable(std::string_view path) const;
  const PageFile* find_file(std::string_view path) const;
  HttpReply read(const HttpRequest& request);
  HttpReply begin_events(const std::string& query);

  MonitoredRun& run_;
  ControlQueue& controls_;
  const std::string address_;
  const std::string token_;
};

}  // namespace firbank::program
