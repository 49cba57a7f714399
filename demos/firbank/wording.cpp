#include "demos/firbank/wording.hpp"

#include <cmath>

#include <fmt/format.h>

#include "io/one_line.hpp"

namespace firbank::program {

std::string counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string duration(double seconds) {
  if (seconds < 0) return fmt::format("-{}", duration(-seconds));
  if (seconds < 0.9995e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 99.95) return fmt::format("{:.3g} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string dbfs(double amplitude) {
  if (amplitude == 0) return "silent";
  const double db = 20 * std::log10(amplitude);
  return fmt::format("{:.2f} dBFS", std::abs(db) < 0.005 ? 0.0 : db);
}

std::string bytes(double count) {
  if (count < 1024) return fmt::format("{:.0f} bytes", count);
  if (count < 1024.0 * 1024) return fmt::format("{:.1f} KiB", count / 1024);
  if (count < 1024.0 * 1024 * 1024) return fmt::format("{:.1f} MiB", count / (1024.0 * 1024));
  return fmt::format("{:.2f} GiB", count / (1024.0 * 1024 * 1024));
}

std::string large(double count) {
  if (count < 1e4) return fmt::format("{:.0f}", count);
  if (count < 1e6) return fmt::format("{:.1f} thousand", count / 1e3);
  if (count < 1e9) return fmt::format("{:.1f} million", count / 1e6);
  return fmt::format("{:.1f} billion", count / 1e9);
}

std::string input_name(const std::string& path) {
  return path == "-" ? "standard input" : printable(path);
}

std::string output_name(const std::string& path) {
  return path == "-" ? "standard output" : printable(path);
}

std::string stream(std::uint64_t channels, double sample_rate_hz, std::int64_t frames) {
  return fmt::format("{}, {} Hz, {} ({})", counted(channels, "channel"), sample_rate_hz,
                     counted(static_cast<std::uint64_t>(frames), "frame"),
                     duration(static_cast<double>(frames) / sample_rate_hz));
}

std::string position(std::int64_t frame, double sample_rate_hz) {
  return fmt::format("frame {} ({})", frame, duration(static_cast<double>(frame) / sample_rate_hz));
}

std::string incomplete_frame(std::uint64_t bytes, std::int64_t frame, double sample_rate_hz) {
  return fmt::format("the input ends inside {}, of which {} were dropped",
                     position(frame, sample_rate_hz), counted(bytes, "byte"));
}

}  // namespace firbank::program
