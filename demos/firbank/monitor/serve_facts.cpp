#include "demos/firbank/monitor/serve_facts.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace firbank::program {
namespace {

std::string name_of(EnvelopeKind kind) {
  switch (kind) {
    case EnvelopeKind::kRectified:
      return "rectified";
    case EnvelopeKind::kPower:
      return "power";
    case EnvelopeKind::kRms:
      return "rms";
    case EnvelopeKind::kAnalytic:
      return "analytic";
  }
  return {};
}

std::string detection(const ServeEvents& events, const std::string& unit) {
  const double size = events.level.value_or(events.sigmas);
  const std::string of =
      events.level ? (unit.empty() ? "" : " " + unit) : std::string(" times the noise");
  switch (events.crossing) {
    case Crossing::kFall:
      return fmt::format("falls below {}{}", events.level ? size : -size, of);
    case Crossing::kRise:
      return fmt::format("rises above {}{}", size, of);
    case Crossing::kEither:
      return fmt::format("rises above {}{}, or falls below the same", std::abs(size), of);
  }
  return {};
}

bool is_in_rows(const RunConfig& config, const PresetSpec& preset) {
  return config.inputs.size() == config.outputs.size() &&
         std::all_of(preset.edges.begin(), preset.edges.end(),
                     [](const EdgeSpec& edge) { return edge.input == edge.output; });
}

}  // namespace

ServeFacts serve_facts(const RunConfig& config, std::size_t preset,
                       const AcquisitionStream& stream) {
  const ServeSettings& serve = *config.serve;
  ServeFacts facts;
  facts.outputs = config.outputs;
  facts.is_in_rows = is_in_rows(config, config.presets[preset]);
  facts.decimation = stream.decimation();
  for (std::size_t output = 0; output < stream.outputs(); ++output) {
    facts.delay_frames.push_back(stream.samples_delay_frames(output));
  }
  facts.block_frames = config.engine.block_frames;
  facts.plan = stream.engine().plan().describe();
  if (serve.reference) {
    facts.reference = *serve.reference == ReferenceKind::kMedian ? "median" : "mean";
  }
  if (serve.envelope) {
    facts.envelope = fmt::format("{} over {:g} ms", name_of(serve.envelope->kind),
                                 1'000 * serve.envelope->seconds);
  }
  if (serve.events) facts.detection = detection(*serve.events, serve.unit);
  return facts;
}

}  // namespace firbank::program
