#include "demos/firbank/live_screen.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "demos/firbank/live_report.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(80);
constexpr std::size_t kMostRows = 8;  // of inputs, and of outputs
constexpr double kFloorDb = -60;
constexpr const char* kRed = "\033[31m";
constexpr const char* kPlain = "\033[0m";
constexpr const char* kKeys = "b bypass  n p next, previous filter  + - gain  l limiter  q quit";

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

double decibels(float amplitude) {
  return amplitude > 0 ? 20 * std::log10(static_cast<double>(amplitude)) : -200.0;
}

/// Where a level stands among `width` places: 0 at the floor or below, `width` at full scale.
std::size_t place(float amplitude, std::size_t width) {
  const double share = std::clamp(1 - decibels(amplitude) / kFloorDb, 0.0, 1.0);
  return static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
}

std::string meter_line(const char* way, std::size_t channel, const LevelReading& level,
                       std::size_t columns) {
  // Label, brackets, peak and clips take 36 columns.
  const std::size_t width = std::clamp<std::size_t>(columns > 46 ? columns - 36 : 10, 10, 60);
  const std::string peak =
      level.peak < 1e-5f ? "   -inf" : fmt::format("{:7.1f}", decibels(level.peak));
  const std::string clips =
      level.clips == 0 ? std::string() : fmt::format("  {}{} clipped{}", kRed, level.clips, kPlain);
  return fmt::format("{:>3} {:<2} {} {} dB{}", way, channel + 1, meter_bar(level, width), peak,
                     clips);
}

}  // namespace

std::string meter_bar(const LevelReading& level, std::size_t width) {
  const std::size_t peak = place(level.peak, width);
  const std::size_t rms = std::min(place(level.rms, width), peak);
  std::string bar = std::string(rms, '#') + std::string(peak - rms, '-');
  bar.resize(width, ' ');
  const std::size_t highest = place(level.highest, width);
  if (highest > 0) bar[highest - 1] = '|';
  return "[" + bar + "]";
}

LiveScreen::LiveScreen(bool wanted, std::vector<std::string> filters)
    : drawing_(wanted && isatty(STDOUT_FILENO) == 1), filters_(std::move(filters)) {}

LiveScreen::~LiveScreen() {
  clear();
}

void LiveScreen::clear() {
  if (lines_ == 0) return;
  fmt::print("\033[{}A\r\033[J", lines_);
  std::fflush(stdout);
  lines_ = 0;
  next_draw_ = {};
}

void LiveScreen::update(const LiveSession& session, std::size_t choice) {
  if (!drawing_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kInterval;

  const std::size_t columns = terminal_columns();
  std::vector<std::string> lines;
  const auto add_meters = [&](const char* way, std::size_t channels, auto level_of) {
    for (std::size_t c = 0; c < std::min(channels, kMostRows); ++c) {
      lines.push_back(meter_line(way, c, level_of(c), columns));
    }
    if (channels > kMostRows) {
      lines.push_back(fmt::format("    and {} more", channels - kMostRows));
    }
  };
  add_meters("in", session.inputs(), [&](std::size_t c) { return session.input_level(c); });
  add_meters("out", session.outputs(), [&](std::size_t c) { return session.output_level(c); });
  const LiveStatus status = session.status();
  lines.push_back(fmt::format("{} ({} of {}){}  gain {:+.1f} dB  limiter {}", filters_[choice],
                              choice + 1, filters_.size(), status.bypass ? "  BYPASSED" : "",
                              status.gain_db,
                              !status.limiter             ? std::string("off")
                              : status.limiter_times == 0 ? std::string("on")
                                                          : counted(status.limiter_times, "time")));
  lines.push_back(fmt::format(
      "{}  load {:.0f} %, largest {:.0f} %  {}{}  {}  {}", session.engine_facts().backend,
      100 * status.load.recent, 100 * status.load.largest, counted(status.xruns, "xrun"),
      xrun_stages(status), counted(status.gaps, "gap"),
      duration(static_cast<double>(status.frames) / session.sample_rate_hz())));
  lines.emplace_back(kKeys);

  // One write, so that the screen does not flicker.
  std::string text = lines_ > 0 ? fmt::format("\033[{}A\r", lines_) : std::string();
  for (const std::string& line : lines) {
    const bool coloured = line.find('\033') != std::string::npos;
    text += coloured ? line : line.substr(0, columns);
    text += "\033[K\n";
  }
  fmt::print("{}", text);
  std::fflush(stdout);
  lines_ = lines.size();
}

}  // namespace firbank::program
