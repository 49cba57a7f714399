#include "demos/firbank/bench/loopback/loopback_table.hpp"

#include <cmath>

#include <fmt/format.h>

#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "demos/firbank/wording.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

std::string row(const char* name, const std::string& text) {
  return fmt::format("{:<12}{}\n", name, text);
}

std::string frames_and_time(double frames, int decimals, double rate_hz) {
  // A frame is 20 us: with each place of it the time has one more digit that is known.
  return fmt::format("{:.{}f} frames, {:.{}f} ms", frames, decimals, 1e3 * frames / rate_hz,
                     decimals + 1);
}

std::string devices(const LoopbackRun& run) {
  const std::string output = printable(run.output_device);
  if (run.input_device == run.output_device) {
    return fmt::format("{}, channel {} to channel {}", output, run.output_channel + 1,
                       run.input_channel + 1);
  }
  return fmt::format("{}, channel {}, to {}, channel {}", output, run.output_channel + 1,
                     printable(run.input_device), run.input_channel + 1);
}

/// In dB, to a tenth, and never "-0.0".
std::string tenths(double db) {
  return fmt::format("{:.1f}", std::round(10 * db) / 10 + 0.0);
}

std::string claim(const LoopbackRun& run) {
  const auto one = [](const char* way, const std::optional<double>& seconds) {
    return seconds ? fmt::format("{} {}", way, duration(*seconds))
                   : fmt::format("{} not told", way);
  };
  std::string text = one("output", run.output_latency_s) + ", " + one("input", run.input_latency_s);
  if (const auto frames = claimed_frames(run)) text += fmt::format(": {:.0f} frames", *frames);
  return text;
}

std::string left_out(const LoopbackRun& run) {
  std::string text = fmt::format("{} measured, {} to warm up left out",
                                 counted(run.estimate.repeats.size(), "repeat"), kWarmUpRepeats);
  if (run.estimate.spoiled_repeats > 0) {
    text += fmt::format(", {} spoiled by lost samples", run.estimate.spoiled_repeats);
  }
  if (run.estimate.late_repeats > 0) {
    text += fmt::format(", {} too late", run.estimate.late_repeats);
  }
  return text;
}

std::string spread(const RoundTrip& trip) {
  constexpr double kLeastFrames = 0.001;
  const std::string frames = trip.spread_frames < kLeastFrames
                                 ? fmt::format("less than {}", kLeastFrames)
                                 : fmt::format("{:.2g}", trip.spread_frames);
  return frames + " frames from the earliest to the latest repeat";
}

std::string drift(const LoopbackRun& run) {
  const std::optional<double> least = least_drift_ppm(run);
  if (!least) return "not known from fewer than three repeats";
  if (!has_drift(run)) return fmt::format("none shown; {:.1g} ppm would have been", *least);
  return fmt::format("{:.2g} ppm", *run.estimate.round_trip->drift_ppm);
}

}  // namespace

std::string loopback_table(const LoopbackRun& run) {
  const RoundTrip& trip = *run.estimate.round_trip;
  const double rate = run.setting.sample_rate_hz;
  const int decimals = frame_decimals(trip);
  const std::size_t period = sequence_frames(run.setting.sequence_order);

  std::string text = row("way", devices(run));
  text += row("stream", fmt::format("{} Hz, blocks of {}", rate, run.block_frames));
  text += row("sequence", fmt::format("{} frames ({}) at {} dBFS, {}", period,
                                      duration(static_cast<double>(period) / rate),
                                      run.setting.level_dbfs, left_out(run)));
  text += row("round trip", frames_and_time(trip.frames, decimals, rate));
  if (run.setting.extra_delay_frames > 0) {
    text +=
        row("", fmt::format("of which --delay added {} frames", run.setting.extra_delay_frames));
  }
  text += row("spread", spread(trip));
  text += row("drift", drift(run));
  text += row("peak", fmt::format("{:.0f} dB over the noise, {} dB of what was played, {}",
                                  trip.peak_to_noise_db, tenths(trip.gain_db),
                                  trip.polarity < 0 ? "inverted" : "not inverted"));
  text += row("claimed", claim(run));
  if (const auto claimed = claimed_frames(run)) {
    text += row("difference", frames_and_time(trip.frames - *claimed, std::min(decimals, 1), rate));
  }
  text += row("glitches", run.glitches == 0 ? "none" : fmt::format("{}", run.glitches));
  return text;
}

}  // namespace firbank::program
