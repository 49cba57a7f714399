// A monitor from outside, by sockets: what is right, what is wrong, and who is slow. After each the
// session has to play on and the server to answer.
#include "demos/firbank/monitor/server.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/monitor/tests/monitor_rig.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;

ServerLimits limits() {
  ServerLimits limits;
  limits.client.request_time = 700ms;
  limits.client.write_time = 700ms;
  limits.threads = 4;
  limits.waiting = 4;
  limits.watchers = 2;
  limits.event_interval = 20ms;
  return limits;
}

class Monitor : public testing::Test {
 protected:
  ~Monitor() override {
    EXPECT_EQ(ask(server_.port(), "GET", "/api/state").status, 200)
        << "it does not answer any more";
    const std::int64_t frames = rig_.session.status().frames;
    std::this_thread::sleep_for(100ms);
    EXPECT_GT(rig_.session.status().frames, frames) << "the stream stands";
    rig_.controls.close();
  }

  int port() const { return server_.port(); }
  std::string host() const { return fmt::format("Host: 127.0.0.1:{}\r\n", port()); }

  /// The status of a refusal, which is one line of JSON.
  int refused(const std::string& request) {
    const HttpAnswer answer = parse_answer(talk(port(), request));
    EXPECT_THAT(answer.head, HasSubstr("application/json"));
    EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 1) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("{\"error\":\""));
    return answer.status;
  }

  MonitorRig rig_;
  MonitorServer server_{rig_.routes, "127.0.0.1", 0, limits()};
};

TEST_F(Monitor, AnswersOverHttp) {
  EXPECT_GT(port(), 0);
  const HttpAnswer state = ask(port(), "GET", "/api/state?x=1");
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(state.json().at("filter"), "plain");
  EXPECT_THAT(state.head, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(state.head, HasSubstr("X-Content-Type-Options: nosniff"));
  const HttpAnswer changed = ask(port(), "POST", "/api/choice", R"({"choice": 2})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.json().at("filter"), "half");
  EXPECT_THAT(ask(port(), "GET", "/metrics").body,
              HasSubstr("# TYPE firbank_frames_total counter"));
  EXPECT_THAT(ask(port(), "GET", "/").head, HasSubstr("text/html"));
  const HttpAnswer head = ask(port(), "HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(Monitor, SendsEvents) {
  const std::string text = talk(port(), "GET /api/events HTTP/1.1\r\n" + host() + "\r\n", 0.6);
  EXPECT_THAT(text, HasSubstr("Content-Type: text/event-stream"));
  std::size_t events = 0;
  for (std::size_t at = 0; (at = text.find("data: {", at)) != text.npos; ++at) ++events;
  EXPECT_GE(events, 5u);
}

TEST_F(Monitor, RefusesWithAStatusAndALine) {
  EXPECT_EQ(refused("GET /nope HTTP/1.1\r\n" + host() + "\r\n"), 404);
  EXPECT_EQ(refused("GET /../../etc/passwd HTTP/1.1\r\n" + host() + "\r\n"), 404);
  EXPECT_EQ(refused("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + host() + "\r\n"), 404);
  EXPECT_EQ(refused("PUT /api/gain HTTP/1.1\r\n" + host() + "\r\n"), 405);
  EXPECT_EQ(refused("GET /api/gain HTTP/1.1\r\n" + host() + "\r\n"), 405);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n"), 403);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 403);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + host() + "Origin: http://evil.com\r\n\r\n"), 403);
  EXPECT_EQ(refused("POST /api/gain HTTP/1.1\r\n" + host() + "Content-Length: 2\r\n\r\n{}"), 401);
  EXPECT_EQ(ask(port(), "POST", "/api/gain", "{\"gain_db\"").status, 400);
  EXPECT_EQ(refused("BREW /pot HTTP/1.1\r\n" + host() + "\r\n"), 400);
  EXPECT_EQ(refused("\r\n\r\n"), 400);
  EXPECT_EQ(refused(std::string("\x16\x03\x01\x00\xff\x01\0\r\n\r\n", 11)), 400);
}

TEST_F(Monitor, RefusesWhatIsTooLong) {
  const std::string many(20'000, 'a');
  EXPECT_EQ(refused("GET /" + many + " HTTP/1.1\r\n" + host() + "\r\n"), 431);
  EXPECT_EQ(refused("GET /" + many.substr(0, 9'000) + " HTTP/1.1\r\n" + host() + "\r\n"), 414);
  EXPECT_THAT(refused("GET / HTTP/1.1\r\n" + host() + "X: " + many + "\r\n\r\n"), AnyOf(400, 431));
  std::string headers;
  for (int i = 0; i < 3'000; ++i) headers += fmt::format("X-{}: 1\r\n", i);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n" + host() + headers + "\r\n"), 431);
  const HttpAnswer body = ask(port(), "POST", "/api/gain", std::string(5'000, ' '));
  EXPECT_EQ(body.status, 413);
  // One that is announced only.
  EXPECT_EQ(refused(fmt::format("POST /api/gain HTTP/1.1\r\n{}Authorization: Bearer {}\r\n"
                                "Content-Type: application/json\r\n"
                                "Content-Length: 99999999999999\r\n\r\n{{",
                                host(), MonitorRig::kToken)),
            413);
  std::string chunks;
  for (int i = 0; i < 1'000; ++i) chunks += "40\r\n" + std::string(64, ' ') + "\r\n";
  const HttpAnswer chunked = parse_answer(
      talk(port(), fmt::format("POST /api/gain HTTP/1.1\r\n{}Authorization: Bearer {}\r\n"
                               "Content-Type: application/json\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
                               host(), MonitorRig::kToken, chunks)));
  EXPECT_THAT(chunked.status, AnyOf(400, 413, 431));
}

// Of many ranges an answer would be many times as long as the file.
TEST_F(Monitor, AnswersNoRanges) {
  std::string ranges = "bytes=0-1";
  for (int i = 0; i < 900; ++i) ranges += ",0-1";
  const HttpAnswer answer = ask(port(), "GET", "/api/state", "", "Range: " + ranges + "\r\n");
  EXPECT_THAT(answer.status, AnyOf(200, 400, 416));
  EXPECT_LT(answer.body.size(), 4'000u);
}

TEST_F(Monitor, EndsSlowClients) {
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> clients;
  clients.reserve(4);
  std::atomic<int> ended{0};
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      const HttpAnswer answer = parse_answer(talk(port(), "GET / HTTP/1.1\r\nHost: 127"));
      if (answer.status == 408 || answer.status == 400) ++ended;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(ended, 4);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(Monitor, TurnsAwayMoreClientsThanItServes) {
  std::vector<std::thread> clients;
  clients.reserve(40);
  std::atomic<int> turned_away{0};
  std::atomic<int> others{0};
  // Idle ones: four are served, four wait.
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back([&] {
      const HttpAnswer answer = parse_answer(talk(port(), "GET / HTTP/1.1\r\n"));
      ++(answer.status == 503 ? turned_away : others);
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(turned_away, 10) << others << " others";
}

TEST_F(Monitor, HasSoManyWatchers) {
  std::vector<std::thread> watchers;
  watchers.reserve(3);
  std::atomic<int> watching{0};
  std::atomic<int> turned_away{0};
  for (int i = 0; i < 3; ++i) {
    watchers.emplace_back([&] {
      const std::string text = talk(port(), "GET /api/events HTTP/1.1\r\n" + host() + "\r\n", 1);
      if (text.find("data: {") != text.npos) ++watching;
      if (parse_answer(text).status == 503) ++turned_away;
    });
  }
  for (std::thread& watcher : watchers) watcher.join();
  EXPECT_EQ(watching, 2);
  EXPECT_EQ(turned_away, 1);
  // Their places are free again, once the server sees that they left.
  bool is_free = false;
  for (int i = 0; i < 100 && !is_free; ++i) {
    std::this_thread::sleep_for(50ms);
    const std::string text = talk(port(), "GET /api/events HTTP/1.1\r\n" + host() + "\r\n", 0.1);
    is_free = text.find("data: {") != text.npos;
  }
  EXPECT_TRUE(is_free);
}

TEST_F(Monitor, SharesItsPortWithNobody) {
  try {
    const MonitorServer other(rig_.routes, "127.0.0.1", port());
    ADD_FAILURE() << "two servers at one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutput);
    EXPECT_EQ(std::string(error.what()),
              fmt::format("--monitor {} at 127.0.0.1: another program has it", port()));
  }
}

}  // namespace
}  // namespace firbank::program
