#include "demos/firbank/monitor/run_monitor.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "demos/firbank/monitor/tests/monitor_rig.hpp"

namespace firbank::program {
namespace {

using namespace std::chrono_literals;

TEST(RunMonitor, EndsWhileClientsWatchAndWait) {
  MonitorRig rig;
  std::thread watcher;
  std::thread asker;
  {
    RunMonitor monitor({.port = 0}, rig.readings);
    ASSERT_TRUE(monitor.url().starts_with("http://127.0.0.1:")) << monitor.url();
    const int port = std::stoi(monitor.url().substr(17));
    const std::string token = monitor.url().substr(monitor.url().find('#') + 1);
    EXPECT_EQ(token.size(), 32u);
    watcher = std::thread(
        [port] { talk(port, "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 20); });
    asker = std::thread([port, token] {
      // Nobody serves this monitor's requests.
      const std::string reply = talk(
          port, fmt::format("POST /api/bypass HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
                            "{}\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
                            "{{\"bypass\":true}}",
                            token));
      EXPECT_EQ(parse_answer(reply).status, 503) << reply;
    });
    std::this_thread::sleep_for(200ms);
  }
  watcher.join();
  asker.join();
  EXPECT_FALSE(rig.session.status().bypass);
}

TEST(RunMonitor, CarriesOutWhatItsLoopServes) {
  MonitorRig rig;
  RunMonitor monitor({.port = 0, .token = MonitorRig::kToken}, rig.readings);
  const int port = std::stoi(monitor.url().substr(17));
  std::atomic<bool> done{false};
  std::thread asker([&] {
    EXPECT_EQ(ask(port, "POST", "/api/gain", R"({"gain_db": -7})").json().at("gain_db"), -7);
    done = true;
  });
  while (!done) {
    monitor.serve([&](const ControlRequest& request) -> ControlAnswer {
      rig.session.set_gain_db(std::get<SetGain>(request).gain_db);
      return {};
    });
    std::this_thread::sleep_for(5ms);
  }
  asker.join();
  LiveFacts facts = rig.facts();
  facts.filters = {"other"};
  rig.readings.publish(facts);
  EXPECT_EQ(ask(port, "GET", "/api/state").json().at("filter"), "other");
}

}  // namespace
}  // namespace firbank::program
