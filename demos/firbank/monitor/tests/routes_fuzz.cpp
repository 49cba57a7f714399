// Requests as the monitor's routes see them, once HTTP is taken off: the input is "METHOD PATH",
// then lines "NAME: VALUE" of headers, then an empty line and the body.
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "demos/firbank/monitor/request_body.hpp"
#include "demos/firbank/monitor/tests/fuzz_rules.hpp"
#include "demos/firbank/monitor/tests/monitor_rig.hpp"

namespace {

using namespace firbank::program;
using firbank::fuzz::require;
using firbank::fuzz::take_until;

HttpRequest read(std::string_view text) {
  HttpRequest request;
  std::string_view first = take_until(text, '\n');
  request.method = take_until(first, ' ');
  request.path = take_until(first, '?');
  request.query = first;
  for (;;) {
    std::string_view line = take_until(text, '\n');
    if (line.empty()) break;
    const std::string_view name = take_until(line, ':');
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (name == "Host") request.host = line;
    if (name == "Origin") request.origin = line;
    if (name == "Authorization") request.authorization = line;
    if (name == "Content-Type") request.content_type = line;
    if (name == "Content-Encoding") request.content_encoding = line;
    if (name == "Content-Length") request.content_length = line;
  }
  request.body = text;
  return request;
}

/// What requests can change.
struct Controls {
  explicit Controls(const MonitorRig& rig)
      : gain_db(rig.session.status().gain_db),
        bypass(rig.session.status().bypass),
        limiter(rig.session.status().limiter),
        choice(rig.facts().choice) {}
  bool operator==(const Controls&) const = default;

  double gain_db;
  bool bypass;
  bool limiter;
  std::size_t choice;
};

void check_reply(const HttpRequest& request, const HttpReply& reply) {
  constexpr std::array kStatus = {200, 400, 401, 403, 404, 405, 409, 413, 415, 503};
  require(std::find(kStatus.begin(), kStatus.end(), reply.status) != kStatus.end(),
          "the status is one of those that are told of");
  if (reply.status != 200) {
    require(std::count(reply.body.begin(), reply.body.end(), '\n') == 1, "a refusal is one line");
    require(reply.body.size() < 1'000, "a refusal is short");
    require(nlohmann::json::parse(reply.body).at("error").is_string(), "a refusal says why");
    require((reply.status == 405) == !reply.allow.empty(), "405 says what is allowed");
  } else if (reply.content_type == "application/json") {
    require(nlohmann::json::parse(reply.body).is_object(), "an answer is JSON");
  }
  require(reply.allow.find_first_of("\r\n") == reply.allow.npos, "a header is one line");
  require(reply.status == 403 || !request.host.empty(), "a request has a host");
}

}  // namespace

// The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* const rig = new MonitorRig;  // for the whole run; its thread ends with the process
  const HttpRequest request = read({reinterpret_cast<const char*>(data), size});
  const Controls before(*rig);
  auto reply = rig->routes.answer_head(request);
  const bool may_change = !reply;
  if (may_change) {
    require(request.method == "POST" && takes_body(request.path), "a change is a POST");
    require(request.authorization == std::string("Bearer ") + MonitorRig::kToken,
            "a change has the token");
    require(request.origin.empty() || request.origin.size() == 7 + request.host.size(),
            "a change is of the own page, or of none");
    reply = rig->routes.answer_body(request);
  }
  check_reply(request, *reply);
  if (!may_change || reply->status != 200) {
    require(Controls(*rig) == before, "what is refused changes nothing");
  }
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  const auto change = [](const std::string& path, const std::string& body) {
    return "POST " + path + "\nHost: 127.0.0.1:1\nAuthorization: Bearer " + MonitorRig::kToken +
           "\nContent-Type: application/json; charset=utf-8\nContent-Length: " +
           std::to_string(body.size()) + "\n\n" + body;
  };
  std::vector<std::string> list = {
      change("/api/choice", "{\"choice\": 2}"),
      change("/api/choice", "{\"choice\": \"a \\\"b\\\"\\n\\\\c\"}"),
      change("/api/choice", "{\"choice\": 4}"),
      change("/api/gain", "{\"gain_db\": -3.5}"),
      change("/api/bypass", "{\"bypass\": true}"),
      change("/api/limiter", "{\"limiter\": false}"),
      "GET /nope\nHost: [::1]:80\nContent-Encoding: gzip\n\n",
      "POST /api/gain\nHost: evil.com\nOrigin: http://evil.com\n\n",
      "POST /api/gain\nHost: localhost\nOrigin: http://localhost\nContent-Length: 4097\n\n",
  };
  for (const char* path : {"/", "/page.css", "/live.js", "/page.js", "/api/state", "/api/stats",
                           "/api/events", "/metrics"}) {
    list.push_back(std::string("GET ") + path + "\nHost: 127.0.0.1\n\n");
  }
  return list;
}
