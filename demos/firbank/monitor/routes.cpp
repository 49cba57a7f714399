#include "demos/firbank/monitor/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "demos/firbank/monitor/access.hpp"
#include "demos/firbank/monitor/request_body.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;

constexpr std::array<std::string_view, 4> kReadings = {"/api/state", "/api/stats", "/api/events",
                                                       "/metrics"};

std::string text_of(const nlohmann::ordered_json& json) {
  // Names of files may hold bytes that are no UTF-8.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

bool is_json(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type == "application/json";
}

/// Whether a Content-Length, which may be missing, is of a body that is read.
bool may_be_length(std::string_view text) {
  if (text.empty()) return true;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc{} && end == text.data() + text.size() && length <= kMostBodyBytes;
}

int status_of(ControlAnswer::Outcome outcome) {
  switch (outcome) {
    case ControlAnswer::Outcome::kDone:
      return 200;
    case ControlAnswer::Outcome::kRefused:
      return 409;
    case ControlAnswer::Outcome::kBusy:
    case ControlAnswer::Outcome::kEnded:
      return 503;
  }
  return 500;
}

}  // namespace

Routes::Routes(MonitoredRun& run, ControlQueue& controls, std::string address, std::string token)
    : run_(run), controls_(controls), address_(std::move(address)), token_(std::move(token)) {}

HttpReply Routes::refusal(int status, const std::string& why) {
  HttpReply reply;
  reply.status = status;
  reply.body = text_of({{"error", why}});
  return reply;
}

std::optional<HttpReply> Routes::answer_head(const HttpRequest& request) {
  if (auto refused = refuse_stranger(request)) return refused;
  const bool changes = is_change(request.path);
  if (!changes && !is_readable(request.path)) {
    return refusal(404, fmt::format("there is no '{}' here", one_line(request.path)));
  }
  const char* const allowed = changes ? "POST" : "GET, HEAD";
  const bool is_allowed =
      changes ? request.method == "POST" : request.method == "GET" || request.method == "HEAD";
  if (!is_allowed) {
    HttpReply reply = refusal(405, fmt::format("'{}' of {} is not allowed; {} is",
                                               one_line(request.method), request.path, allowed));
    reply.allow = allowed;
    return reply;
  }
  if (changes) return refuse_change(request);
  return read(request);
}

bool Routes::is_change(std::string_view path) const {
  const auto paths = run_.changes();
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

bool Routes::is_readable(std::string_view path) const {
  return std::find(kReadings.begin(), kReadings.end(), path) != kReadings.end() ||
         find_file(path) != nullptr;
}

const PageFile* Routes::find_file(std::string_view path) const {
  for (const PageFile& file : run_.page()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

std::optional<HttpReply> Routes::refuse_stranger(const HttpRequest& request) const {
  if (!is_own_host(request.host, address_)) {
    return refusal(403, fmt::format("the host '{}' is not this one", one_line(request.host)));
  }
  if (!request.origin.empty() && !is_own_origin(request.origin, request.host)) {
    return refusal(403, fmt::format("the origin '{}' is not this one", one_line(request.origin)));
  }
  return std::nullopt;
}

std::optional<HttpReply> Routes::refuse_change(const HttpRequest& request) const {
  if (!has_token(request.authorization, token_)) {
    return refusal(401, "changes need 'Authorization: Bearer TOKEN' with the monitor's token");
  }
  if (!is_json(request.content_type)) {
    return refusal(415, fmt::format("the content type '{}' is not allowed; application/json is",
                                    one_line(request.content_type)));
  }
  if (!may_be_length(request.content_length)) {
    return refusal(413, fmt::format("the content length '{}' is not allowed; 0 to {} are",
                                    one_line(request.content_length), kMostBodyBytes));
  }
  if (!request.content_encoding.empty()) {
    return refusal(415, fmt::format("the content encoding '{}' is not allowed; none is",
                                    one_line(request.content_encoding)));
  }
  return std::nullopt;
}

HttpReply Routes::read(const HttpRequest& request) {
  HttpReply reply;
  if (request.path == "/api/state") {
    reply.body = text_of(run_.state());
  } else if (request.path == "/api/stats") {
    reply.body = text_of(run_.stats());
  } else if (request.path == "/api/events") {
    return begin_events(request.query);
  } else if (request.path == "/metrics") {
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    reply.body = run_.metrics();
  } else {
    const PageFile& file = *find_file(request.path);
    reply.content_type = file.content_type;
    reply.body = file.bytes;
  }
  return reply;
}

HttpReply Routes::begin_events(const std::string& query) {
  HttpReply reply;
  reply.content_type = "text/event-stream";
  try {
    reply.watcher = run_.watch(query);
  } catch (const Error& error) {
    return refusal(400, error.what());
  }
  return reply;
}

HttpReply Routes::answer_body(const HttpRequest& request) {
  ControlAnswer answer;
  try {
    answer = controls_.ask(parse_body(request.path, request.body), kPatience);
  } catch (const Error& error) {
    return refusal(400, error.what());
  }
  const int status = status_of(answer.outcome);
  if (status != 200) return refusal(status, answer.why);
  HttpReply reply;
  reply.body = text_of(run_.state());
  return reply;
}

std::string Routes::event_text(RunWatcher& watcher) {
  return "data: " + text_of(watcher.moment()) + "\n";
}

}  // namespace firbank::program
