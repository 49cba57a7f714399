#include "demos/firbank/monitor/routes.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "demos/firbank/monitor/tests/monitor_rig.hpp"
#include "demos/firbank/monitor/tests/named_files.hpp"

namespace firbank::program {
namespace {

using nlohmann::json;
using testing::HasSubstr;

HttpRequest request(const std::string& method, const std::string& path) {
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.host = "127.0.0.1:8080";
  return request;
}

HttpRequest change(const std::string& path, const std::string& body) {
  HttpRequest change = request("POST", path);
  change.authorization = std::string("Bearer ") + MonitorRig::kToken;
  change.content_type = "application/json";
  change.body = body;
  return change;
}

HttpReply answer(MonitorRig& rig, const HttpRequest& request) {
  const auto reply = rig.routes.answer_head(request);
  return reply ? *reply : rig.routes.answer_body(request);
}

/// The status, of a reply whose body is one line of JSON that says why.
int refused(MonitorRig& rig, const HttpRequest& request) {
  const HttpReply reply = answer(rig, request);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(std::count(reply.body.begin(), reply.body.end(), '\n'), 1) << reply.body;
  EXPECT_GT(json::parse(reply.body).at("error").get<std::string>().size(), 4u);
  return reply.status;
}

TEST(Routes, TellTheState) {
  MonitorRig rig;
  const HttpReply reply = answer(rig, request("GET", "/api/state"));
  EXPECT_EQ(reply.status, 200);
  const json state = json::parse(reply.body);
  EXPECT_EQ(state.at("filters").size(), 3u);
  EXPECT_EQ(state.at("choice"), 1);
  EXPECT_EQ(state.at("filter"), "plain");
  EXPECT_EQ(state.at("gain_db"), 0);
  EXPECT_EQ(state.at("bypass"), false);
  EXPECT_EQ(state.at("sample_rate_hz"), MonitorRig::kRate);
  EXPECT_EQ(state.at("channels_in"), 2);
  EXPECT_EQ(state.at("channels_out"), 3);
  EXPECT_EQ(state.at("device_block_frames"), 256);
  EXPECT_TRUE(state.at("device_input_latency_seconds").is_null());
  EXPECT_THAT(state.at("backend").get<std::string>(), HasSubstr("cpu"));
  EXPECT_GT(state.at("bands_hz").size(), 50u);
}

TEST(Routes, TellTheStats) {
  MonitorRig rig;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const json stats = json::parse(answer(rig, request("GET", "/api/stats")).body);
  EXPECT_GT(stats.at("frames"), 1'000);
  EXPECT_NEAR(stats.at("deadline_seconds"), 256.0 / 48'000, 1e-9);
  EXPECT_EQ(stats.at("load").at("histogram").size(), LoadMeter::kBuckets);
  EXPECT_EQ(stats.at("inputs").size(), 2u);
  EXPECT_NEAR(stats.at("outputs")[2].at("highest"), 0.5, 0.01);
  EXPECT_EQ(stats.at("gaps"), 1);
  // A late call, which a busy machine may bring, is an event as well.
  const json& events = stats.at("events");
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const json& event) {
    return event.at("kind") == "gap" && event.at("seconds") >= 0;
  })) << events;
  EXPECT_GT(stats.at("engine").at("frames"), 1'000);
}

TEST(Routes, ShowTheSpectraOfWhatIsPlayed) {
  MonitorRig rig;
  answer(rig, change("/api/choice", R"({"choice": 2})"));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  const auto watcher = rig.readings.watch({});
  const std::string moment = Routes::event_text(*watcher);
  ASSERT_TRUE(moment.starts_with("data: {")) << moment;
  EXPECT_EQ(std::count(moment.begin(), moment.end(), '\n'), 2);
  EXPECT_TRUE(moment.ends_with("\n\n"));
  const json event = json::parse(moment.substr(6));
  const json state = json::parse(answer(rig, request("GET", "/api/state")).body);
  const json& bands = state.at("bands_hz");
  ASSERT_EQ(event.at("input_db").size(), bands.size());
  for (std::size_t band = 0; band < bands.size(); ++band) {
    const double hz = bands[band];
    if (std::abs(hz - MonitorRig::kToneHz) < 1) {
      EXPECT_NEAR(event.at("input_db")[band], -6, 0.6);
      EXPECT_NEAR(event.at("output_db")[band], -12, 0.6);
    } else if (hz < 700 || hz > 1'400) {
      EXPECT_LT(event.at("input_db")[band], -50) << hz;
    }
  }
  EXPECT_EQ(event.at("choice"), 2);
  EXPECT_EQ(event.at("outputs").size(), 3u);
}

TEST(Routes, CarryOutChanges) {
  MonitorRig rig;
  const HttpReply chosen = answer(rig, change("/api/choice", R"({"choice": "half"})"));
  EXPECT_EQ(chosen.status, 200) << chosen.body;
  EXPECT_EQ(json::parse(chosen.body).at("choice"), 2);
  EXPECT_EQ(json::parse(answer(rig, change("/api/gain", R"({"gain_db": -3})")).body).at("gain_db"),
            -3);
  EXPECT_EQ(answer(rig, change("/api/bypass", R"({"bypass": true})")).status, 200);
  EXPECT_EQ(answer(rig, change("/api/limiter", R"({"limiter": true})")).status, 200);
  const LiveStatus status = rig.session.status();
  EXPECT_EQ(status.gain_db, -3);
  EXPECT_TRUE(status.bypass);
  EXPECT_TRUE(status.limiter);
}

TEST(Routes, ChangeTheBackend) {
  MonitorRig rig;
  json state = json::parse(answer(rig, request("GET", "/api/state")).body);
  EXPECT_EQ(state.at("backends").size(), 3u);
  const HttpReply reply = answer(rig, change("/api/backend", R"({"backend": "cpu-scalar"})"));
  EXPECT_EQ(reply.status, 200) << reply.body;
  for (int i = 0; i < 200 && rig.session.status().engine_changes == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  state = json::parse(answer(rig, request("GET", "/api/state")).body);
  EXPECT_EQ(state.at("backend"), "cpu-scalar");
  EXPECT_EQ(state.at("is_changing_backend"), false);
  EXPECT_EQ(rig.readings.watch({})->moment().at("backend"), "cpu-scalar");
  EXPECT_EQ(json::parse(answer(rig, request("GET", "/api/stats")).body).at("engine_changes"), 1);
  // What cannot be leaves the other one, and says why.
  const HttpReply refused_one = answer(rig, change("/api/backend", R"({"backend": "cpu-abacus"})"));
  EXPECT_EQ(refused_one.status, 409);
  EXPECT_THAT(refused_one.body, HasSubstr("there is no backend 'cpu-abacus'"));
  EXPECT_EQ(rig.session.engine_facts().backend, "cpu-scalar");
  EXPECT_EQ(refused(rig, change("/api/backend", R"({"backend": 1})")), 400);
  HttpRequest stranger = change("/api/backend", R"({"backend": "cpu"})");
  stranger.authorization = "";
  EXPECT_EQ(refused(rig, stranger), 401);
}

TEST(Routes, ExplainDropOuts) {
  MonitorRig rig;
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const json stats = json::parse(answer(rig, request("GET", "/api/stats")).body);
  for (const char* stage : {"wait", "compute", "device", "card"}) {
    EXPECT_GE(stats.at("dropouts").at(stage), 0) << stage;
  }
  const json& events = stats.at("events");
  const auto gap = std::find_if(events.begin(), events.end(),
                                [](const json& event) { return event.at("kind") == "gap"; });
  ASSERT_NE(gap, events.end()) << events;
  EXPECT_EQ(gap->at("stage"), "card");
  EXPECT_NEAR(gap->at("excess_seconds"), 0.25, 1e-9);
}

TEST(Routes, ServeThePage) {
  MonitorRig rig;
  const HttpReply page = answer(rig, request("GET", "/"));
  EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
  EXPECT_TRUE(page.body.ends_with("</html>\n"));
  EXPECT_THAT(page.content_type, HasSubstr("text/html"));
  EXPECT_THAT(answer(rig, request("GET", "/page.css")).body, HasSubstr("color-scheme"));
  EXPECT_THAT(answer(rig, request("GET", "/page.js")).body, HasSubstr("EventSource"));
  // What the page names is there.
  const auto paths = named_files(page.body);
  EXPECT_EQ(paths.size(), rig.readings.page().size() - 1);
  for (const std::string& path : paths) {
    EXPECT_EQ(answer(rig, request("GET", path)).status, 200) << path;
  }
}

TEST(Routes, RefuseWhatIsNotThere) {
  MonitorRig rig;
  for (const char* path : {"/nope", "/api", "/api/", "/api/state/", "/api/state/..", "", "*",
                           "/../page.js", "/page.html", "/API/state", "/etc/passwd", "//"}) {
    EXPECT_EQ(refused(rig, request("GET", path)), 404) << path;
  }
}

TEST(Routes, RefuseOtherMethods) {
  MonitorRig rig;
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", ""}) {
    EXPECT_EQ(refused(rig, request(method, "/api/state")), 405) << method;
  }
  for (const char* method : {"GET", "HEAD", "PUT", "OPTIONS"}) {
    EXPECT_EQ(refused(rig, request(method, "/api/gain")), 405) << method;
  }
  EXPECT_EQ(answer(rig, request("GET", "/api/gain")).allow, "POST");
  EXPECT_EQ(answer(rig, request("HEAD", "/api/state")).status, 200);
}

TEST(Routes, RefuseStrangers) {
  MonitorRig rig;
  HttpRequest rebound = request("GET", "/api/state");
  rebound.host = "evil.com:8080";
  EXPECT_EQ(refused(rig, rebound), 403);
  rebound.host = "";
  EXPECT_EQ(refused(rig, rebound), 403);
  HttpRequest foreign = change("/api/gain", R"({"gain_db": -3})");
  foreign.origin = "http://evil.com";
  EXPECT_EQ(refused(rig, foreign), 403);
  foreign.origin = "http://127.0.0.1:8080";
  EXPECT_EQ(answer(rig, foreign).status, 200);
}

TEST(Routes, RefuseChangesWithoutTheToken) {
  MonitorRig rig;
  HttpRequest wanted = change("/api/gain", R"({"gain_db": -3})");
  wanted.authorization = "";
  EXPECT_EQ(refused(rig, wanted), 401);
  wanted.authorization = "Bearer wrong678abcdefgh";
  EXPECT_EQ(refused(rig, wanted), 401);
  EXPECT_EQ(rig.session.status().gain_db, 0);
}

TEST(Routes, RefuseBodiesThatAreNoRequest) {
  MonitorRig rig;
  EXPECT_EQ(refused(rig, change("/api/gain", "{")), 400);
  EXPECT_EQ(refused(rig, change("/api/gain", R"({"gain_db": 1000})")), 400);
  EXPECT_EQ(refused(rig, change("/api/choice", R"({"choice": 4})")), 409);
  HttpRequest form = change("/api/gain", "gain_db=3");
  form.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(refused(rig, form), 415);
  for (const char* length : {"4097", "99999999999999999999", "-1", "1x"}) {
    HttpRequest long_one = change("/api/gain", "");
    long_one.content_length = length;
    EXPECT_EQ(refused(rig, long_one), 413) << length;
  }
  HttpRequest packed = change("/api/gain", "xx");
  packed.content_encoding = "gzip";
  EXPECT_EQ(refused(rig, packed), 415);
}

TEST(Routes, SayWhenTheRunHasEnded) {
  MonitorRig rig;
  rig.controls.close();
  EXPECT_EQ(refused(rig, change("/api/bypass", R"({"bypass": true})")), 503);
}

}  // namespace
}  // namespace firbank::program
