#include "io/packet_endpoint.hpp"

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace firbank {
namespace {

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

void append(std::string& line, const LossCount& loss, std::string_view one, std::string_view many) {
  if (loss.count == 0) return;
  line += fmt::format(", {} ({} frames, first at {})", counted(loss.count, one, many), loss.frames,
                      loss.first_frame);
}

void append_error(std::string& line, const std::string& error) {
  if (!error.empty()) line += "; last error: " + error;
}

}  // namespace

bool comes_at_its_rate(const PacketStats& stats) {
  constexpr double kTolerance = 0.02;
  return stats.rate_hz <= 0 ||
         std::abs(stats.rate_hz - stats.declared_rate_hz) <= kTolerance * stats.declared_rate_hz;
}

std::string summary(const PacketStats& stats) {
  std::string line = fmt::format("{}, {}, {} frames", counted(stats.streams, "stream", "streams"),
                                 counted(stats.packets, "packet", "packets"), stats.frames);
  append(line, stats.gaps, "gap", "gaps");
  append(line, stats.missed, "time too slow", "times too slow");
  append(line, stats.backward, "packet again", "packets again");
  if (stats.restarts > 0) {
    line += fmt::format(", begun anew {}", counted(stats.restarts, "time", "times"));
  }
  append(line, stats.truncated, "packet truncated", "packets truncated");
  if (stats.lost_packets > 0) line += fmt::format(", {} packets lost", stats.lost_packets);
  if (stats.broken > 0) line += ", " + counted(stats.broken, "sender dropped", "senders dropped");
  if (stats.refused > 0) line += ", " + counted(stats.refused, "sender refused", "senders refused");
  if (!comes_at_its_rate(stats)) {
    line += fmt::format(", comes at {:.1f} Hz instead of {:.1f} Hz", stats.rate_hz,
                        stats.declared_rate_hz);
  }
  append_error(line, stats.last_error);
  return line;
}

std::string summary(const SinkStats& stats) {
  std::string line = fmt::format(
      "{}, {} frames, {} now, {} in all", counted(stats.packets, "packet", "packets"), stats.frames,
      counted(stats.receivers, "receiver", "receivers"), stats.received_by);
  append(line, stats.dropped, "receiver dropped", "receivers dropped");
  append_error(line, stats.last_error);
  return line;
}

}  // namespace firbank
