#include "demos/firbank/serve_stages.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/window_design.hpp"
#include "engine/config/config_banks.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

/// How long the rings last: a sender's jitter and a slow moment of whoever takes the outputs.
constexpr double kRingSeconds = 0.25;

constexpr std::size_t kMostEnvelopeTaps = std::size_t{1} << 20;  // as EnvelopeConfig has it

std::size_t frames_of(double seconds, double rate_hz) {
  return static_cast<std::size_t>(std::llround(seconds * rate_hz));
}

EnvelopeConfig envelope_config(const ServeEnvelope& envelope, double rate_hz) {
  // Odd, so that its delay is whole frames; of kAnalytic at least 3.
  const std::size_t taps = 2 * (frames_of(envelope.seconds, rate_hz) / 2) + 1;
  if (taps > kMostEnvelopeTaps) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{}: it is {}; at {} Hz, up to {} ms are allowed", envelope.place,
                            envelope.seconds * 1'000, rate_hz,
                            std::floor(1'000.0 * (kMostEnvelopeTaps - 1) / rate_hz)));
  }
  return {.kind = envelope.kind, .taps = std::max<std::size_t>(taps, 3)};
}

/// Flat to 0.3 of the lower rate, and 80 dB down from half of it on.
FilterBank decimation_filter(std::size_t factor, double rate_hz) {
  const double lower_hz = rate_hz / static_cast<double>(factor);
  DesignRequest request;
  request.kind = FilterKind::kLowpass;
  request.sample_rate_hz = rate_hz;
  request.high_hz = 0.4 * lower_hz;
  request.transition_hz = 0.2 * lower_hz;
  return FilterBank({design_filter(request, [](std::size_t, std::int64_t, std::int64_t) {}).taps});
}

EventDetectorConfig detector_config(const ServeEvents& events, double rate_hz) {
  EventDetectorConfig config;
  config.crossing = events.crossing;
  if (events.level) config.levels = {static_cast<float>(*events.level)};
  config.noise_factor = events.sigmas;
  config.noise_window_frames = std::max<std::size_t>(1, frames_of(1, rate_hz));
  config.refractory_frames = frames_of(events.refractory_seconds, rate_hz);
  config.peak_frames = frames_of(events.peak_seconds, rate_hz);
  return config;
}

}  // namespace

float largest_in_reference(const ServeSettings& serve, const StreamHeader& header) {
  constexpr float kAny = std::numeric_limits<float>::max();
  constexpr double kJustBelow = 0.999;
  if (serve.reference_largest) return static_cast<float>(*serve.reference_largest);
  const NativeFormat& format = header.format;
  const double full_scale = format.type == NativeType::kInt16   ? 32'767.0
                            : format.type == NativeType::kInt32 ? 2'147'483'647.0
                                                                : 0.0;
  if (full_scale == 0) return kAny;
  // An offset moves one end of the range towards 0: that one counts.
  const double largest = kJustBelow * full_scale * std::abs(format.scale) - std::abs(format.offset);
  return largest > 0 && largest < static_cast<double>(kAny) ? static_cast<float>(largest) : kAny;
}

std::unique_ptr<AcquisitionStream> make_acquisition(
    const RunConfig& config, std::size_t preset, const EngineOptions& options,
    const std::function<void(const std::string&)>& notice) {
  const ServeSettings& serve = *config.serve;
  const double rate_hz = config.stream.sample_rate_hz;
  ConfigBanksOptions loading;
  loading.sample_rate_hz = rate_hz;
  loading.only_preset = preset;
  loading.may_bypass = false;
  loading.notice = notice;
  const ConfigBanks banks(config, loading);

  AcquisitionConfig acquisition;
  acquisition.engine = options.config(rate_hz, PlanGoal::kLive);
  acquisition.engine.costs = options.chosen_costs(notice).model;
  acquisition.engine.gap_policy = serve.gaps;
  const double blocks =
      std::ceil(kRingSeconds * rate_hz / static_cast<double>(acquisition.engine.block_frames));
  acquisition.engine.ring_blocks = std::max(
      acquisition.engine.ring_blocks, static_cast<std::size_t>(std::clamp(blocks, 8.0, 1'024.0)));
  if (serve.reference) {
    acquisition.reference =
        CommonReferenceConfig{.kind = *serve.reference, .groups = serve.reference_groups};
  }
  if (serve.envelope) acquisition.envelope = envelope_config(*serve.envelope, rate_hz);
  if (serve.decimate > 1) {
    acquisition.decimation = Decimation{serve.decimate, decimation_filter(serve.decimate, rate_hz)};
  }
  if (serve.events) acquisition.events = detector_config(*serve.events, rate_hz);

  const SignalsForMainThread guard;
  auto stream = std::make_unique<AcquisitionStream>(acquisition, banks.bank({.preset = preset}),
                                                    banks.routing());
  for (const std::size_t channel : serve.bad_channels) stream->set_bad_channel(channel, true);
  return stream;
}

}  // namespace firbank::program
