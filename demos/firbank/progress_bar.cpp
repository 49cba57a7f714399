#include "demos/firbank/progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "demos/firbank/console.hpp"

namespace firbank::program {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string clock_time(double seconds) {
  const std::int64_t whole = std::llround(std::max(seconds, 0.0));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

ProgressBar::ProgressBar(std::optional<std::int64_t> total_frames, double sample_rate_hz,
                         bool wanted)
    : ProgressBar(total_frames, sample_rate_hz, "", wanted) {}

ProgressBar::ProgressBar(std::int64_t total_steps, std::string what, bool wanted)
    : ProgressBar(total_steps, 0, std::move(what), wanted) {}

ProgressBar::ProgressBar(std::optional<std::int64_t> total, double sample_rate_hz, std::string what,
                         bool wanted)
    : total_(total),
      sample_rate_hz_(sample_rate_hz),
      what_(std::move(what)),
      drawing_(wanted && isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (drawn_) tell("\r\033[K");
}

void ProgressBar::update(std::int64_t done) {
  if (!drawing_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kInterval;
  drawn_ = true;
  const double elapsed_seconds = std::chrono::duration<double>(now - start_).count();
  tell("\r{}\033[K", line(done, elapsed_seconds));
  std::fflush(stderr);
}

std::string ProgressBar::line(std::int64_t done, double elapsed_seconds) const {
  std::string about = what_;
  if (sample_rate_hz_ > 0) {
    const double stream_seconds = static_cast<double>(done) / sample_rate_hz_;
    const double speed = elapsed_seconds > 0 ? stream_seconds / elapsed_seconds : 0.0;
    about = fmt::format("{:.{}f} x real time", speed, speed < 10 ? 1 : 0);
    if (!total_ || *total_ <= 0) {
      return fmt::format("{} done, {}", clock_time(stream_seconds), about);
    }
  }
  const double share = std::min(static_cast<double>(done) / static_cast<double>(*total_), 1.0);
  const std::string left =
      share > 0 ? clock_time(elapsed_seconds * (1 - share) / share) + " left" : "";
  const std::string text = fmt::format(" {:3.0f} %  {}  {}", 100 * share, about, left);
  const std::size_t columns = terminal_columns();
  if (columns < text.size() + 8) return text;
  const std::size_t width = std::min<std::size_t>(columns - text.size() - 3, 40);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  return fmt::format("[{:<{}}]{}", std::string(filled, '#'), width, text);
}

}  // namespace firbank::program
