#include "demos/firbank/serve_stages.hpp"

#include <algorithm>
#include <cmath>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/window_design.hpp"
#include "engine/config/config_banks.hpp"

namespace firbank::program {
namespace {

/// How long the rings last: a sender's jitter and a slow moment of whoever takes the outputs.
constexpr double kRingSeconds = 0.25;

std::size_t frames_of(double seconds, double rate_hz) {
  return static_cast<std::size_t>(std::llround(seconds * rate_hz));
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
  if (serve.envelope) {
    // Odd, so that its delay is whole frames; of kAnalytic at least 3.
    const std::size_t taps = 2 * (frames_of(serve.envelope->seconds, rate_hz) / 2) + 1;
    acquisition.envelope =
        EnvelopeConfig{.kind = serve.envelope->kind, .taps = std::max<std::size_t>(taps, 3)};
  }
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
