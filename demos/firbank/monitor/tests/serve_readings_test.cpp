// What the monitor of `firbank serve` tells, by its routes: of a run that stands as the test has
// it.
#include "demos/firbank/monitor/serve_readings.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/monitor/routes.hpp"
#include "demos/firbank/monitor/tests/metrics_format.hpp"
#include "demos/firbank/monitor/tests/named_files.hpp"

namespace firbank::program {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kToken = "abcdefgh12345678";

ServeFacts facts() {
  ServeFacts facts;
  facts.outputs = {"x", "y", "z"};
  facts.is_in_rows = true;
  facts.decimation = 2;
  facts.delay_frames = {7, 7, 9};
  facts.block_frames = 32;
  facts.plan = "direct";
  facts.detection = "falls below -5 times the noise";
  return facts;
}

ServeStatus first_status() {
  ServeStatus status;
  status.input = "tcp at 127.0.0.1:4000";
  status.sample_rate_hz = 1'000;
  status.seconds = 12.5;
  status.stream = 2;
  status.has_sender = true;
  status.silent_seconds = 0.25;
  status.unit = "uV";
  status.input_names = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"in \"1\"", "in-2", "in-3"});
  status.packets.packets = 10;
  status.packets.frames = 500;
  status.packets.gaps = {3, 70, 100};
  status.packets.declared_rate_hz = 1'000;
  status.packets.rate_hz = 999.5;
  status.newest_losses = {{1, 100, 20}, {2, 40, 20}, {2, 90, 30}};
  status.losses = 5;
  status.acquisition.events = 42;
  status.acquisition.engine.frames = 530;
  status.backend = "cpu-scalar";
  status.latency = {42, 1.5e6, 1'000'000, 4'000'000, 5'000'000};
  status.recent_latency = {4, 1.5e6, 2'000'000, 3'000'000, 3'000'000};
  status.bad_channels = {1};
  ServeLineStatus tcp;
  tcp.kind = ServedKind::kEvents;
  tcp.to = "tcp 127.0.0.1:4001";
  tcp.frames = 40;
  tcp.packets.receivers = 2;
  ServeLineStatus file;
  file.kind = ServedKind::kRaw;
  file.to = "a \"b\".wav";
  file.is_file = true;
  file.frames = 500;
  file.dropped_frames = 12;
  file.first_dropped_frame = 77;
  file.failure = "the disk is full";
  status.outputs = {tcp, file};
  return status;
}

class ServeRoutes : public testing::Test {
 protected:
  ~ServeRoutes() override { controls_.close(); }

  static HttpRequest request(const std::string& method, const std::string& path,
                             const std::string& query = {}) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.host = "127.0.0.1:8080";
    return request;
  }
  static HttpRequest mark(const std::string& body) {
    HttpRequest change = request("POST", "/api/bad");
    change.authorization = std::string("Bearer ") + kToken;
    change.content_type = "application/json";
    change.body = body;
    return change;
  }

  json get(const std::string& path) {
    const auto reply = routes_.answer_head(request("GET", path));
    EXPECT_EQ(reply->status, 200) << reply->body;
    return json::parse(reply->body);
  }

  /// The next event of a watcher.
  static json next(const std::shared_ptr<RunWatcher>& watcher) {
    const std::string text = Routes::event_text(*watcher);
    EXPECT_TRUE(text.starts_with("data: {")) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    return json::parse(text.substr(6));
  }

  /// One frame of each channel: 10, 20, 30 times the sign; a bin has one.
  void add(std::int64_t frame, float sign, std::vector<Event> events = {}) {
    const std::vector<float> values = {10 * sign, 20 * sign, 30 * sign};
    const std::vector<const float*> planes = {&values[0], &values[1], &values[2]};
    BasicBlock<const float> block;
    block.planes = planes.data();
    block.channels = 3;
    block.frames = 1;
    block.first_frame = frame;
    watch_.add(block, events);
  }

  ServeWatch watch_{3, 1'000};
  ServeReadings readings_{facts(), watch_, first_status()};
  ControlQueue controls_;
  Routes routes_{readings_, controls_, "127.0.0.1", kToken};
};

TEST_F(ServeRoutes, TellTheState) {
  const json state = get("/api/state");
  EXPECT_EQ(state.at("input"), "tcp at 127.0.0.1:4000");
  EXPECT_EQ(state.at("sample_rate_hz"), 1'000);
  EXPECT_THAT(state.at("input_channels"), ElementsAre("in \"1\"", "in-2", "in-3"));
  EXPECT_THAT(state.at("output_channels"), ElementsAre("x", "y", "z"));
  EXPECT_THAT(state.at("bad_channels"), ElementsAre(1));
  EXPECT_THAT(state.at("delay_frames"), ElementsAre(7, 7, 9));
  EXPECT_EQ(state.at("unit"), "uV");
  EXPECT_EQ(state.at("bin_frames"), 2) << "of the input";
  EXPECT_EQ(state.at("detection"), "falls below -5 times the noise");
  EXPECT_EQ(state.at("backend"), "cpu-scalar");
}

TEST_F(ServeRoutes, TellTheStatsAsTheReportDoes) {
  const json stats = get("/api/stats");
  EXPECT_EQ(stats.at("input").at("gap_frames"), 70);
  EXPECT_EQ(stats.at("input").at("rate_hz"), 999.5);
  EXPECT_EQ(stats.at("events").at("found"), 42);
  EXPECT_EQ(stats.at("latency_ms").at("median"), 1.0);
  EXPECT_EQ(stats.at("latency_ms").at("max"), 5.0);
  EXPECT_EQ(stats.at("recent_latency_ms").at("p99"), 3.0);
  EXPECT_EQ(stats.at("silent_seconds"), 0.25);
  EXPECT_EQ(stats.at("losses_before"), 2);
  EXPECT_EQ(stats.at("losses")[2], json::parse(R"({"stream":2,"first_frame":90,"frames":30})"));
  const json& outputs = stats.at("outputs");
  EXPECT_EQ(outputs[0].at("receivers_now"), 2);
  EXPECT_FALSE(outputs[0].contains("failure"));
  EXPECT_EQ(outputs[1].at("dropped_frames"), 12);
  EXPECT_EQ(outputs[1].at("failure"), "the disk is full");
}

TEST_F(ServeRoutes, SendWhatIsNew) {
  const auto reply = routes_.answer_head(request("GET", "/api/events", "first=1&count=2"));
  ASSERT_TRUE(reply && reply->watcher) << reply->body;
  add(4, 1, {Event{.frame = 3, .channel = 2}});
  add(5, -1);
  json moment = next(reply->watcher);
  EXPECT_EQ(moment.at("stream"), 2);
  EXPECT_EQ(moment.at("first"), 1);
  EXPECT_EQ(moment.at("count"), 2);
  const json& bins = moment.at("bins");
  EXPECT_EQ(bins.at("first"), 4);
  EXPECT_EQ(bins.at("count"), 2);
  const double step = bins.at("step");
  ASSERT_EQ(bins.at("low").size(), 2u);
  EXPECT_NEAR(bins.at("low")[0][1].get<double>() * step, -20, step / 2);
  EXPECT_NEAR(bins.at("high")[1][0].get<double>() * step, 30, step / 2);
  EXPECT_EQ(moment.at("events").at("before"), 0);
  EXPECT_THAT(moment.at("events").at("frames"), ElementsAre(3));
  EXPECT_THAT(moment.at("events").at("channels"), ElementsAre(2));
  // Of this stream.
  EXPECT_EQ(moment.at("losses"), json::parse("[[40,20],[90,30]]"));

  ServeStatus status = first_status();
  status.newest_losses.push_back({2, 130, 1});
  status.losses = 6;
  readings_.publish(status);
  moment = next(reply->watcher);
  EXPECT_EQ(moment.at("bins").at("count"), 0);
  EXPECT_THAT(moment.at("events").at("frames"), IsEmpty());
  EXPECT_EQ(moment.at("events").at("before"), 1);
  EXPECT_EQ(moment.at("losses"), json::parse("[[130,1]]"));
}

TEST_F(ServeRoutes, SendTheRmsOfAllChannelsWhenItIsNew) {
  const auto reply = routes_.answer_head(request("GET", "/api/events"));
  EXPECT_FALSE(next(reply->watcher).contains("rms"));
  for (std::int64_t n = 0; n < 250; ++n) add(n, n % 2 == 0 ? 1.0f : -1.0f);
  EXPECT_THAT(next(reply->watcher).at("rms"), ElementsAre(10, 20, 30));
  EXPECT_FALSE(next(reply->watcher).contains("rms"));
}

TEST_F(ServeRoutes, RefuseChannelsThatThereAreNot) {
  for (const char* query : {"first=3", "first=-1", "count=0", "count=65", "channel=1", "first"}) {
    const auto reply = routes_.answer_head(request("GET", "/api/events", query));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 400) << query;
    EXPECT_FALSE(reply->watcher) << query;
    EXPECT_EQ(std::count(reply->body.begin(), reply->body.end(), '\n'), 1);
    EXPECT_THAT(json::parse(reply->body).at("error").get<std::string>(), HasSubstr("allowed"));
  }
}

TEST_F(ServeRoutes, TellMetrics) {
  const auto reply = routes_.answer_head(request("GET", "/metrics"));
  EXPECT_GT(check_metrics_format(reply->body), 30u);
  for (const char* line :
       {"\nfirbank_input_gap_frames_total 70\n", "\nfirbank_input_rate_hertz 999.5\n",
        "\nfirbank_events_total 42\n", "\nfirbank_event_latency_seconds{quantile=\"0.99\"} 0.004\n",
        "\nfirbank_event_latency_seconds_count 42\n",
        "\nfirbank_output_up{output=\"1\",kind=\"events\",to=\"tcp 127.0.0.1:4001\"} 1\n",
        "\nfirbank_output_up{output=\"2\",kind=\"raw\",to=\"a \\\"b\\\".wav\"} 0\n",
        R"(_dropped_frames_total{output="2",kind="raw",to="a \"b\".wav"} 12)"}) {
    EXPECT_THAT(reply->body, HasSubstr(line));
  }
}

TEST_F(ServeRoutes, ServeThePageAndWhatItNames) {
  const auto page = routes_.answer_head(request("GET", "/"));
  EXPECT_THAT(page->body, HasSubstr("firbank serve"));
  const auto paths = named_files(page->body);
  EXPECT_EQ(paths.size(), readings_.page().size() - 1);
  for (const std::string& path : paths) {
    EXPECT_EQ(routes_.answer_head(request("GET", path))->status, 200) << path;
  }
  EXPECT_EQ(routes_.answer_head(request("GET", "/live.js"))->status, 404);
}

TEST_F(ServeRoutes, TakeTheChangesOfThisRunAlone) {
  EXPECT_EQ(routes_.answer_head(request("GET", "/api/bad"))->status, 405);
  EXPECT_EQ(routes_.answer_head(request("POST", "/api/gain"))->status, 404);
  EXPECT_EQ(routes_.answer_head(request("POST", "/api/bad"))->status, 401);
}

TEST_F(ServeRoutes, HandAMarkToTheLoop) {
  std::atomic<bool> done{false};
  std::thread loop([&] {
    while (!done) {
      controls_.serve([&](const ControlRequest& request) {
        const auto& mark = std::get<MarkBad>(request);
        ServeStatus status = first_status();
        status.bad_channels = {*mark.channel};
        readings_.publish(status);
        return ControlAnswer{};
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const HttpRequest change = mark(R"({"channel": 2, "bad": true})");
  EXPECT_FALSE(routes_.answer_head(change));
  const HttpReply reply = routes_.answer_body(change);
  done = true;
  loop.join();
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(json::parse(reply.body).at("bad_channels"), ElementsAre(2));
  EXPECT_EQ(routes_.answer_body(mark(R"({"channel": true, "bad": true})")).status, 400);
}

}  // namespace
}  // namespace firbank::program
