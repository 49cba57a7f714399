#include "demos/firbank/doctor/gpu_readings.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demos/firbank/doctor/brief_program.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr const char* kDevices = "/sys/bus/pci/devices";

std::vector<std::string> nvidia_devices(const SystemFiles& files) {
  std::vector<std::string> found;
  for (const std::string& address : files.names(kDevices)) {
    const std::string folder = fmt::format("{}/{}", kDevices, address);
    const auto vendor = files.line(folder + "/vendor");
    const auto kind = files.line(folder + "/class");
    const bool displays = kind && kind->starts_with("0x03");
    if (vendor == "0x10de" && displays) found.push_back(address);
  }
  return found;
}

/// "16.0 GT/s PCIe" as 16; none for "Unknown".
std::optional<double> transfers(const std::optional<std::string>& speed) {
  return speed ? number_of(words(*speed).front()) : std::nullopt;
}

struct Link {
  double speed = 0;
  double most_speed = 0;
  std::int64_t width = 0;
  std::int64_t most_width = 0;
};

std::optional<Link> link_of(const SystemFiles& files, const std::string& address) {
  const std::string folder = fmt::format("{}/{}/", kDevices, address);
  const auto speed = transfers(files.line(folder + "current_link_speed"));
  const auto most_speed = transfers(files.line(folder + "max_link_speed"));
  const auto width = files.number(folder + "current_link_width");
  const auto most_width = files.number(folder + "max_link_width");
  if (!speed || !most_speed || !width || !most_width) return std::nullopt;
  // What a bridge without a link tells.
  if (*speed <= 0 || *width <= 0 || *width > 32 || *most_width <= 0) return std::nullopt;
  return Link{*speed, *most_speed, *width, *most_width};
}

std::vector<std::string_view> separated(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(by);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Reading link_reading(const SystemFiles& files) {
  Reading reading("pcie_link", "PCIe link of the GPU");
  const std::vector<std::string> devices = nvidia_devices(files);
  if (devices.empty()) return std::move(reading).absent("there is no NVIDIA GPU");
  std::vector<std::string> texts;
  bool known = true, narrow = false, slow = false;
  for (const std::string& address : devices) {
    const auto link = link_of(files, address);
    if (!link) {
      texts.push_back(address + ": not told");
      known = false;
      continue;
    }
    texts.push_back(fmt::format("{}: {} of {} GT/s, {} of {} lanes", address, link->speed,
                                link->most_speed, link->width, link->most_width));
    narrow = narrow || link->width < link->most_width;
    slow = slow || link->speed < link->most_speed;
  }
  const std::string text = fmt::format("{}", fmt::join(texts, "; "));
  if (narrow) {
    return std::move(reading).costs(
        text,
        "put the card into a slot with as many lanes, or take away what shares them (the "
        "board's manual tells)");
  }
  if (slow) {
    reading.advice =
        "a link slows down while it is idle: look again while the GPU works; if it stays, see the "
        "board's settings for its PCIe generation and power saving (ASPM)";
    return std::move(reading).unknown(text);
  }
  return known ? std::move(reading).good(text) : std::move(reading).unknown(text);
}

std::optional<std::string> ask_nvidia_smi() {
  return output_of({"nvidia-smi", "--query-gpu=name,persistence_mode,clocks.sm,clocks.max.sm",
                    "--format=csv,noheader,nounits"},
                   std::chrono::seconds(3));
}

Reading gpu_clock_reading(const SystemFiles& files, const std::optional<std::string>& said) {
  Reading reading("gpu_clocks", "GPU clocks");
  if (!said) {
    if (nvidia_devices(files).empty()) {
      return std::move(reading).absent("there is no NVIDIA GPU");
    }
    return std::move(reading).unknown("nvidia-smi is not here, or gave no answer");
  }
  std::vector<std::string> texts;
  bool forgets = false, slow = false;
  for (const std::string_view line : separated(trimmed(*said), '\n')) {
    const auto parts = separated(line, ',');
    if (parts.size() != 4) return std::move(reading).unknown("nvidia-smi: " + one_line(line));
    const auto clock = number_of(parts[2]), highest = number_of(parts[3]);
    const bool persists = parts[1] == "Enabled";
    texts.push_back(fmt::format("{}: {}persistent, {} of {} MHz now", one_line(parts[0]),
                                persists ? "" : "not ", one_line(parts[2]), one_line(parts[3])));
    forgets = forgets || !persists;
    constexpr double kNearlyAll = 0.9;
    slow = slow || !clock || !highest || *clock < kNearlyAll * *highest;
  }
  const std::string text = fmt::format("{}", fmt::join(texts, "; "));
  if (forgets) {
    return std::move(reading).costs(
        text,
        "as root: nvidia-smi -pm 1, so that the driver stays ready between programs. Costs: "
        "some watts while nothing runs");
  }
  if (slow) {
    reading.advice =
        "clocks fall while a GPU waits for the next block; as root: nvidia-smi -lgc HIGHEST holds "
        "them (nvidia-smi -rgc lets them go). Costs: power";
    return std::move(reading).unknown(text);
  }
  return std::move(reading).good(text);
}

}  // namespace firbank::program
