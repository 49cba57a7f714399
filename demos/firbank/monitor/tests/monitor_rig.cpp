#include "demos/firbank/monitor/tests/monitor_rig.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numbers>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace firbank::program {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlock = 256;

LiveConfig config() {
  LiveConfig config;
  config.engine.sample_rate_hz = MonitorRig::kRate;
  config.engine.block_frames = kBlock;
  config.fade_in_seconds = 0;
  config.may_change_engine = true;
  config.tap_samples = LiveReadings::tap_samples(MonitorRig::kRate);
  return config;
}

FilterBank bank(std::size_t choice) {
  return FilterBank({{choice == 0 ? 1.0 : 0.5}});
}

LiveFacts first_facts() {
  LiveFacts facts;
  facts.input_device = "Test: in";
  facts.output_device = "Test: out";
  facts.filters = {"plain", "half", "a \"b\"\n\\c"};
  facts.backends = {"cpu", "cpu-scalar", "cpu-abacus"};
  facts.device_is_there = true;
  facts.device_block_frames = kBlock;
  return facts;
}

}  // namespace

MonitorRig::MonitorRig()
    : session(config(), bank(0), Routing(2, 3, {{0, 0, 0}, {1, 0, 1}, {1, 0, 2}})),
      readings(session, first_facts()),
      routes(readings, controls, "127.0.0.1", kToken) {
  session.note_gap(0.25);  // before any callback
  thread_ = std::thread([this] { play(); });
}

MonitorRig::~MonitorRig() {
  controls.close();
  done_ = true;
  thread_.join();
}

void MonitorRig::play() {
  std::array<std::array<float, kBlock>, 2> in{};
  std::array<std::array<float, kBlock>, 3> out{};
  const std::array<const float*, 2> in_planes = {in[0].data(), in[1].data()};
  const std::array<float*, 3> out_planes = {out[0].data(), out[1].data(), out[2].data()};
  for (std::uint64_t first = 0; !done_; first += kBlock) {
    for (std::size_t n = 0; n < kBlock; ++n) {
      const double turns = kToneHz * static_cast<double>(first + n) / kRate;
      in[0][n] = in[1][n] =
          static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * (turns - std::floor(turns))));
    }
    session.process(in_planes.data(), out_planes.data(), kBlock);
    controls.serve([this](const ControlRequest& request) { return carry_out(request); });
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

ControlAnswer MonitorRig::carry_out(const ControlRequest& request) {
  if (const auto* const gain = std::get_if<SetGain>(&request)) session.set_gain_db(gain->gain_db);
  if (const auto* const on = std::get_if<SetBypass>(&request)) session.set_bypass(on->on);
  if (const auto* const on = std::get_if<SetLimiter>(&request)) session.set_limiter(on->on);
  if (const auto* const backend = std::get_if<SetBackend>(&request)) {
    EngineConfig engine = session.engine_config();
    engine.backend = backend->name;
    session.change_engine(engine, 100);
  }
  const auto* const choice = std::get_if<Choose>(&request);
  if (choice == nullptr) return {};
  LiveFacts now = readings.facts();
  const auto named = std::find(now.filters.begin(), now.filters.end(), choice->name);
  now.choice = choice->index.value_or(static_cast<std::size_t>(named - now.filters.begin()));
  if (now.choice >= now.filters.size()) {
    return {ControlAnswer::Outcome::kRefused, "there is no such choice"};
  }
  session.swap(bank(now.choice), 100);
  readings.publish(std::move(now));
  return {};
}

std::string talk(int port, std::string_view request, double seconds) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string reply;
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    const auto until = Clock::now() + std::chrono::duration<double>(seconds);
    std::array<char, 4'096> piece{};
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      pollfd one{socket, POLLIN, 0};
      if (left.count() <= 0 || poll(&one, 1, static_cast<int>(left.count())) <= 0) break;
      const ssize_t count = recv(socket, piece.data(), piece.size(), 0);
      if (count <= 0) break;
      reply.append(piece.data(), static_cast<std::size_t>(count));
    }
  }
  close(socket);
  return reply;
}

HttpAnswer parse_answer(const std::string& text) {
  HttpAnswer answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == text.npos) return answer;
  answer.status = std::stoi(text.substr(9, 3));
  answer.head = text.substr(0, end + 2);
  answer.body = text.substr(end + 4);
  return answer;
}

HttpAnswer ask(int port, const std::string& method, const std::string& target,
               const std::string& body, const std::string& more_headers) {
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", method, target, port);
  if (!body.empty()) {
    request += fmt::format(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        MonitorRig::kToken, body.size());
  }
  return parse_answer(talk(port, request + more_headers + "\r\n" + body));
}

}  // namespace firbank::program
