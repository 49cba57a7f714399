// firbank serve --monitor: the program as it runs, asked over HTTP while packets come.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "io/tcp_sink.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/raw_connection.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using nlohmann::json;
using packets_test::RawConnection;
using packets_test::SamplePacket;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kChannels = 40;
constexpr std::size_t kPacket = 100;
constexpr double kRate = 1'000;
constexpr const char* kToken = "abcdefgh12345678";

class ServeMonitored : public testing::Test {
 protected:
  ServeMonitored() : sink_({"127.0.0.1", 0}, header()) {
    write_bytes(
        folder_.file("serve.toml"),
        fmt::format("[stream]\ninputs = {}\nrate = 1000\n[engine]\nblock = 32\n[[filter]]\n"
                    "name = \"f\"\ntaps = [0.5, 0.25, 0.125]\n[[preset]]\nname = \"p\"\n"
                    "filter = \"f\"\n[serve]\ninput = \"tcp://127.0.0.1:{}\"\nconnect = true\n"
                    "unit = \"uV\"\n[serve.events]\nlevel = -100\n"
                    "[[serve.output]]\nkind = \"events\"\nto = \"events.npy\"\n",
                    kChannels, sink_.address().port));
  }

  static StreamHeader header() {
    StreamHeader header = packets_test::small_header(kChannels, kPacket);
    header.sample_rate_hz = kRate;
    header.stream_id = 7;
    return header;
  }

  std::vector<std::string> command(std::vector<std::string> more) const {
    more.insert(more.begin(), {FIRBANK_PROGRAM, "serve", folder_.file("serve.toml")});
    return more;
  }

  /// Where the monitor is, once the program has said so.
  TcpAddress monitor_of(RunningProgram& program) {
    std::string said;
    EXPECT_TRUE(program.has_said("firbank: ready", said)) << said;
    const std::size_t at = said.find("http://127.0.0.1:");
    EXPECT_NE(at, said.npos) << said;
    return parse_tcp_address(said.substr(at + 7, said.find('/', at + 7) - at - 7));
  }

  static std::string request(const std::string& method, const std::string& target,
                             const std::string& body = {}, const std::string& token = kToken) {
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, target);
    if (!body.empty()) {
      text += fmt::format(
          "Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
          token, body.size());
    }
    return text + "\r\n" + body;
  }

  /// The status, and the body.
  static std::pair<int, std::string> ask(const TcpAddress& monitor, const std::string& text) {
    RawConnection connection(monitor, text);
    const std::string reply = connection.receive_until("");
    const std::size_t body = reply.find("\r\n\r\n");
    if (!reply.starts_with("HTTP/1.1 ") || body == reply.npos) return {0, reply};
    return {std::stoi(reply.substr(9, 3)), reply.substr(body + 4)};
  }

  static json get(const TcpAddress& monitor, const std::string& target) {
    const auto [status, body] = ask(monitor, request("GET", target));
    EXPECT_EQ(status, 200) << target << ": " << body;
    return json::parse(body);
  }

  /// Packets from `first` on, as fast as time goes.
  void send(std::size_t first, std::size_t packets) {
    for (std::size_t i = first; i < first + packets; ++i) {
      sink_.write(SamplePacket(header(), static_cast<std::int64_t>(i * kPacket), kPacket));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  /// Whether `holds` of /api/stats, within a minute.
  template <class Holds>
  static bool comes_true(const TcpAddress& monitor, Holds holds) {
    return packets_test::comes_true([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return holds(get(monitor, "/api/stats"));
    });
  }

  TemporaryFolder folder_;
  TcpSink sink_;
};

TEST_F(ServeMonitored, TellsHowItStandsWhilePacketsCome) {
  RunningProgram program(command({"--monitor", "0", "--token", kToken}));
  const TcpAddress monitor = monitor_of(program);
  EXPECT_EQ(get(monitor, "/api/stats").at("input").at("frames"), 0);
  ASSERT_TRUE(packets_test::comes_true([&] { return sink_.stats().receivers == 1; }));

  // A watcher of ten channels, while a packet is lost.
  RawConnection watcher(monitor, request("GET", "/api/events?first=30&count=64"));
  send(0, 5);
  send(6, 5);
  const std::string events = watcher.receive_until("\"losses\":[[500,100]]");
  EXPECT_THAT(events, AllOf(HasSubstr("text/event-stream"), HasSubstr("\"first\":30,\"count\":10"),
                            HasSubstr("\"losses\":[[500,100]]")));
  // Some moment has bins of the samples, and events.
  EXPECT_THAT(events, HasSubstr("\"bins\":{\"first\":"));
  EXPECT_THAT(events, HasSubstr("\"channels\":["));

  ASSERT_TRUE(comes_true(monitor, [](const json& stats) {
    return stats.at("input").at("frames") == 1'000 && stats.at("events").at("found") > 100;
  }));
  const json stats = get(monitor, "/api/stats");
  EXPECT_EQ(stats.at("input").at("gap_frames"), 100);
  EXPECT_EQ(stats.at("losses"), json::parse(R"([{"stream":1,"first_frame":500,"frames":100}])"));
  EXPECT_EQ(stats.at("has_sender"), true);
  EXPECT_GT(stats.at("latency_ms").at("median"), 0);
  const json state = get(monitor, "/api/state");
  EXPECT_EQ(state.at("output_channels").size(), kChannels);
  EXPECT_EQ(state.at("unit"), "uV");
  EXPECT_EQ(state.at("detection"), "falls below -100 uV");
  EXPECT_THAT(ask(monitor, request("GET", "/metrics")).second,
              AllOf(HasSubstr("\nfirbank_input_gap_frames_total 100\n"),
                    HasSubstr("\nfirbank_input_up 1\n")));
  for (const char* file : {"/", "/page.css", "/serve.css", "/page.js", "/traces.js", "/serve.js"}) {
    EXPECT_EQ(ask(monitor, request("GET", file)).first, 200) << file;
  }

  // It ends at once, though somebody watches.
  const auto told = std::chrono::steady_clock::now();
  program.send(SIGINT);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_LT(std::chrono::steady_clock::now() - told, std::chrono::seconds(5));
  EXPECT_TRUE(watcher.is_closed());
}

TEST_F(ServeMonitored, MarksChannelsAsBadWhileItRuns) {
  RunningProgram program(command({"--monitor", "0", "--token", kToken}));
  const TcpAddress monitor = monitor_of(program);
  ASSERT_TRUE(packets_test::comes_true([&] { return sink_.stats().receivers == 1; }));
  const auto mark = [&](const std::string& body, const std::string& token = kToken) {
    return ask(monitor, request("POST", "/api/bad", body, token));
  };
  EXPECT_EQ(mark(R"({"channel": 3, "bad": true})", "wrong-token").first, 401);
  const auto [missing, why] = mark(R"({"channel": 40, "bad": true})");
  EXPECT_EQ(missing, 409);
  EXPECT_THAT(why, HasSubstr("there is no input channel 40; allowed: 0 to 39"));
  EXPECT_EQ(mark(R"({"channel": "nobody", "bad": true})").first, 409);
  EXPECT_EQ(mark(R"({"channel": 3})").first, 400);
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    if (channel == 5) continue;
    EXPECT_EQ(mark(fmt::format(R"({{"channel": {}, "bad": true}})", channel)).first, 200);
  }
  const auto [status, state] = mark(R"({"channel": "in-4", "bad": false})");
  EXPECT_EQ(status, 200) << state;
  EXPECT_EQ(json::parse(state).at("bad_channels").size(), kChannels - 2);
  // What is silent has no events.
  send(0, 10);
  EXPECT_TRUE(comes_true(
      monitor, [](const json& stats) { return stats.at("engine").at("frames") == 1'000; }));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().exit_code, 130);
  const Signal events = read_signal(folder_.file("events.npy"));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_GT(events[2].size(), 20u);
  for (const double channel : events[2]) ASSERT_TRUE(channel == 3 || channel == 5) << channel;
}

TEST_F(ServeMonitored, RefusesQueriesThatAskForWhatThereIsNot) {
  RunningProgram program(command({"--monitor", "0"}));
  const TcpAddress monitor = monitor_of(program);
  const auto [status, body] = ask(monitor, request("GET", "/api/events?first=40"));
  EXPECT_EQ(status, 400);
  EXPECT_EQ(body, "{\"error\":\"first is '40'; allowed: 0 to 39\"}\n");
  EXPECT_EQ(ask(monitor, request("GET", "/api/events?channel=1")).first, 400);
  EXPECT_EQ(ask(monitor, request("GET", "/api/gain")).first, 404);
  program.send(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
}

TEST_F(ServeMonitored, RefusesAPortThatIsTaken) {
  RunningProgram first(command({"--monitor", "0", "--quiet"}));
  std::string said;
  ASSERT_TRUE(first.has_said("firbank: monitor: http://127.0.0.1:", said)) << said;
  EXPECT_THAT(said, Not(HasSubstr("ready")));
  const std::size_t at = said.find("127.0.0.1:") + 10;
  const std::string port = said.substr(at, said.find('/', at) - at);
  const ProgramResult second = run_program(command({"--monitor", port}));
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_EQ(second.err,
            fmt::format("firbank: --monitor {} at 127.0.0.1: another program has it\n", port));
  first.send(SIGINT);
  EXPECT_EQ(first.wait().exit_code, 130);
}

TEST_F(ServeMonitored, RefusesOptionsThatCannotBe) {
  const auto refused = [&](const std::vector<std::string>& options, const std::string& named) {
    const ProgramResult result = run_program(command(options));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr(named));
  };
  refused({"--monitor", "65536"}, "65535");
  refused({"--monitor", "0", "--address", "0.0.0.0"}, "needs --token");
  refused({"--token", "long-enough"}, "--token needs --monitor");
  refused({"--monitor", "0", "--token", "short"}, "8 to 128");
}

}  // namespace
}  // namespace firbank::test
