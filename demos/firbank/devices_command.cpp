#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "demos/firbank/commands.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/json_report.hpp"
#include "demos/firbank/quiet_stderr.hpp"
#include "demos/firbank/wording.hpp"
#include "io/one_line.hpp"
#include "io/portaudio_device.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank devices
  firbank live --filter hall.wav --input-device 3 --output-device 'ALSA: default'

Exit codes: 0 done; 2 bad usage, or a build without sound cards; 3 the system's
sound cannot be asked.)";

/// "in 8.71 ms, out 10.7 ms": of the ways that it has.
std::string latencies(const AudioDevice& device) {
  std::string text;
  const auto add = [&](const char* way, std::size_t channels, double low, double high) {
    if (channels == 0) return;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {} to {}", way, duration(low), duration(high));
  };
  add("in", device.input_channels, device.low_input_latency_seconds,
      device.high_input_latency_seconds);
  add("out", device.output_channels, device.low_output_latency_seconds,
      device.high_output_latency_seconds);
  return text;
}

nlohmann::ordered_json to_json(const AudioDevice& device) {
  return {{"number", device.number},
          {"host_api", device.host_api},
          {"name", device.name},
          {"input_channels", device.input_channels},
          {"output_channels", device.output_channels},
          {"default_rate_hz", device.default_rate_hz},
          {"low_input_latency_seconds", device.low_input_latency_seconds},
          {"high_input_latency_seconds", device.high_input_latency_seconds},
          {"low_output_latency_seconds", device.low_output_latency_seconds},
          {"high_output_latency_seconds", device.high_output_latency_seconds},
          {"is_default_input", device.is_default_input},
          {"is_default_output", device.is_default_output}};
}

void print(const std::vector<AudioDevice>& devices) {
  if (devices.empty()) {
    fmt::print("there is no sound device here\n");
    return;
  }
  fmt::print("{:>3} {:>3} {:>3} {:>7}  device\n", "no", "in", "out", "rate");
  for (const AudioDevice& device : devices) {
    std::string marks;
    if (device.is_default_input) marks += "  default input";
    if (device.is_default_output) marks += marks.empty() ? "  default output" : " and output";
    fmt::print("{:>3} {:>3} {:>3} {:>7}  {}{}\n{:>21}latency {}\n", device.number,
               device.input_channels, device.output_channels, device.default_rate_hz,
               printable(device.full_name()), marks, "", latencies(device));
  }
}

int run(JsonReport& json) {
  json.open({});
  std::vector<AudioDevice> devices;
  {
    const QuietStderr quiet;
    devices = list_audio_devices();
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const AudioDevice& device : devices) list.push_back(to_json(device));
  json.finish(list);
  if (!json.takes_standard_output()) print(devices);
  return kExitDone;
}

}  // namespace

void add_devices_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("devices", "List the sound cards that live can play on");
  const auto json = std::make_shared<JsonReport>();
  json->add_to(*command, "the list");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([json, &exit_code] { exit_code = run(*json); });
}

}  // namespace firbank::program
