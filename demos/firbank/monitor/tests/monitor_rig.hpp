// MonitorRig: a session that a thread feeds with a sine, and carries out for what is asked, as a
// live run's loop and a card's callback would; and HTTP as plain text, so that it can be wrong.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include "demos/firbank/monitor/control_queue.hpp"
#include "demos/firbank/monitor/live_readings.hpp"
#include "demos/firbank/monitor/routes.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

class MonitorRig {
 public:
  static constexpr const char* kToken = "abcdefgh12345678";
  static constexpr double kRate = 48'000;
  static constexpr double kToneHz = 1'000;

  /// Two inputs, three outputs, the choices "plain", "half" and, with quotes, "a \"b\"\n\\c"; a gap
  /// of 0.25 s has been.
  MonitorRig();
  ~MonitorRig();
  MonitorRig(const MonitorRig&) = delete;
  MonitorRig& operator=(const MonitorRig&) = delete;

  LiveFacts facts() const { return readings.facts(); }

 private:
  ControlAnswer carry_out(const ControlRequest& request);
  void play();

  std::atomic<bool> done_{false};

 public:
  LiveSession session;
  LiveReadings readings;
  ControlQueue controls;
  Routes routes;

 private:
  std::thread thread_;
};

/// What comes back on a connection of its own, until the other side closes it or `seconds` are
/// over.
std::string talk(int port, std::string_view request, double seconds = 10);

struct HttpAnswer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

HttpAnswer parse_answer(const std::string& text);

/// A whole request with a Host, the token and a JSON body, where there is one.
HttpAnswer ask(int port, const std::string& method, const std::string& target,
               const std::string& body = {}, const std::string& more_headers = {});

}  // namespace firbank::program
