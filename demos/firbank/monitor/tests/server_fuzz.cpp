// Bytes that a client sends to a monitor: through its socket, httplib, and the routes behind.
#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "demos/firbank/monitor/server.hpp"
#include "demos/firbank/monitor/tests/fuzz_rules.hpp"
#include "demos/firbank/monitor/tests/monitor_rig.hpp"

namespace {

using namespace firbank::program;
using namespace std::chrono_literals;
using firbank::fuzz::require;

ServerLimits limits() {
  ServerLimits limits;
  limits.threads = 4;
  limits.watchers = 3;
  limits.event_interval = 1ms;
  return limits;
}

struct Monitor {
  MonitorRig rig;
  MonitorServer server{rig.routes, "127.0.0.1", 0, limits()};
};

/// All that comes back on a connection of its own; of events the first.
std::string send_bytes(int port, std::string_view bytes) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // Reset at its end: closed connections would soon use up the ports.
  const linger at_once{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const timeval patience{20, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "the server listens");
  send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  shutdown(socket, SHUT_WR);
  std::string reply;
  std::array<char, 4'096> piece{};
  while (reply.find("\r\ndata: {") == reply.npos) {
    const ssize_t count = recv(socket, piece.data(), piece.size(), 0);
    require(count >= 0 || errno != EAGAIN, "the server answers in time");
    if (count <= 0) break;
    reply.append(piece.data(), static_cast<std::size_t>(count));
  }
  close(socket);
  return reply;
}

void check_answer(std::string_view request, std::string reply) {
  if (reply.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) reply.erase(0, 25);
  if (reply.empty()) return;  // what ends before a request does
  const HttpAnswer answer = parse_answer(reply);
  require(answer.status >= 200 && answer.status <= 599, "an answer has a status");
  const bool has_token = request.find(std::string("Bearer ") + MonitorRig::kToken) != request.npos;
  if (answer.status == 200) {
    require(!request.starts_with("POST") || has_token, "what changes something has the token");
  } else if (!answer.body.empty() && answer.head.find("Content-Encoding") == answer.head.npos) {
    require(answer.json().at("error").is_string(), "a refusal says why, as JSON");
  }
}

}  // namespace

// The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* const monitor = new Monitor;  // for the whole run; its threads end with the process
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  check_answer(request, send_bytes(monitor->server.port(), request));
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  const std::string host = "Host: 127.0.0.1\r\n";
  const std::string token = std::string("Authorization: Bearer ") + MonitorRig::kToken + "\r\n";
  const std::string json = "Content-Type: application/json\r\n";
  std::vector<std::string> list = {
      "POST /api/gain HTTP/1.1\r\n" + host + token + json +
          "Content-Length: 15\r\n\r\n{\"gain_db\": -3}",
      "POST /api/choice HTTP/1.1\r\n" + host + token + json +
          "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"choice\r\n5\r\n\": 2}\r\n0\r\n\r\n",
      "POST /api/bypass HTTP/1.1\r\n" + host + token + json +
          "Expect: 100-continue\r\nContent-Length: 16\r\n\r\n{\"bypass\": true}",
      "POST /api/limiter HTTP/1.1\r\n" + host + token +
          "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 60\r\n\r\n"
          "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n",
      "GET /%61pi/state?a=%zz&b HTTP/1.0\r\n" + host + "Connection: keep-alive\r\n\r\n",
      "HEAD / HTTP/1.1\r\n" + host + "Range: bytes=0-1,-2,3-\r\n\r\n",
      "GET / HTTP/1.1\r\n" + host + "Accept-Encoding: gzip, br\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\n" + host + "Upgrade: h2c\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: evil.com\r\nHost: 127.0.0.1\r\n\r\n",
  };
  for (const char* path : {"/page.css", "/page.js", "/api/stats", "/api/events", "/metrics"}) {
    list.push_back(std::string("GET ") + path + " HTTP/1.1\r\n" + host + "\r\n");
  }
  return list;
}
