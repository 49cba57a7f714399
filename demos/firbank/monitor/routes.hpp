// Routes: which answer belongs to which request. Knows nothing of sockets, so that all of it can be
// tried without one.
//
// Thread: any, several at once.
#pragma once

#include <optional>
#include <string>

#include "demos/firbank/monitor/control_queue.hpp"
#include "demos/firbank/monitor/run_facts.hpp"
#include "demos/firbank/monitor/spectrum_watch.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

/// What is asked. Headers that are missing are empty.
struct HttpRequest {
  std::string method;
  std::string path;  // without what follows a '?'
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
  std::string allow;             // of status 405: the methods that there are
  bool is_event_stream = false;  // in place of a body: moment() again and again
};

class Routes {
 public:
  /// `address` and `token` are those that the server was told; the others live longer than this.
  Routes(const LiveSession& session, const FactsBoard& facts, ControlQueue& controls,
         std::string address, std::string token);

  /// What can be refused, or answered, before the body is read; nothing when the body is needed.
  std::optional<HttpReply> answer_head(const HttpRequest& request);

  /// The rest of a request for which answer_head() gave nothing. Waits for the run's loop.
  HttpReply answer_body(const HttpRequest& request);

  /// One event of the stream, as it is sent.
  std::string moment();

  /// A status other than 200 with its one line: {"error":"..."}.
  static HttpReply refusal(int status, const std::string& why);

 private:
  std::optional<HttpReply> refuse_stranger(const HttpRequest& request) const;
  std::optional<HttpReply> refuse_change(const HttpRequest& request) const;
  HttpReply read(const std::string& path);
  std::string state();

  const LiveSession& session_;
  const FactsBoard& facts_;
  ControlQueue& controls_;
  SpectrumWatch spectrum_;
  const std::string address_;
  const std::string token_;
};

}  // namespace firbank::program
