#include "demos/firbank/live_backends.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demos/firbank/interrupt.hpp"
#include "io/one_line.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {

LiveBackends::LiveBackends(const LiveSettings& settings) : settings_(settings) {
  for (const BackendInfo& backend : list_backends()) {
    if (backend.available) names_.push_back(backend.name);
  }
}

ControlAnswer LiveBackends::change(const std::string& name, LiveSession& session) {
  const auto refused = [](const std::string& why) {
    return ControlAnswer{ControlAnswer::Outcome::kRefused, why};
  };
  if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
    return refused(
        fmt::format("backend is '{}'; allowed here: {}", one_line(name), fmt::join(names_, ", ")));
  }
  const LiveEngineFacts facts = session.engine_facts();
  // A CPU that went on for a lost GPU has the latency of its rings still.
  const bool is_in_place_of_gpu = name.starts_with("cpu") && facts.latency_frames > 0;
  if (facts.backend == name && !session.is_changing_engine() && !is_in_place_of_gpu) return {};
  try {
    EngineOptions options = settings_.engine;
    options.backend = name;
    EngineConfig engine = session.engine_config();
    engine.backend = name;
    engine.gpu_mode = options.mode_for(PlanGoal::kLive);
    engine.costs = options.chosen_costs([](const std::string&) {}).model;
    const SignalsForMainThread guard;
    session.change_engine(engine, crossfade_frames(settings_, session));
  } catch (const std::exception& error) {
    return refused(fmt::format("{} plays on: {}", facts.backend, error.what()));
  }
  return {};
}

void LiveBackends::tell_heard(const LiveSession& session,
                              const std::function<void(const LiveEngineFacts&)>& told) {
  const LiveEngineFacts facts = session.engine_facts();
  const bool is_first = told_.empty();
  if (facts.backend == told_) return;
  told_ = facts.backend;
  if (!is_first) told(facts);
}

std::size_t crossfade_frames(const LiveSettings& settings, const LiveSession& session) {
  return static_cast<std::size_t>(
      std::llround(settings.crossfade_seconds * session.sample_rate_hz()));
}

}  // namespace firbank::program
