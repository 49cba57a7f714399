#include "demos/firbank/live_filters.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/live_backends.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {

LiveFilters::LiveFilters(const LiveSettings& settings, const LiveDevices& devices)
    : settings_(settings),
      devices_(devices),
      choices_(settings.load(devices.rate_hz, devices.input.input_channels)),
      choice_(settings.first_choice),
      most_taps_(std::max(settings.max_taps, choices_.longest_taps)) {
  refuse_missing_channels();
  watch_.watch(choices_.files);
}

void LiveFilters::refuse_missing_channels() const {
  const auto refuse = [](const char* way, std::size_t wanted, const AudioDevice& device,
                         std::size_t most) {
    if (wanted <= most) return;
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} is {} for these filters; '{}' has 1 to {}", way,
                            counted(wanted, "channel"), device.full_name(), most));
  };
  refuse("the input", choices_.routing.inputs(), devices_.input, devices_.input.input_channels);
  refuse("the output", choices_.routing.outputs(), devices_.output,
         devices_.output.output_channels);
}

ControlAnswer LiveFilters::choose(const Choose& wanted, LiveSession& session) {
  const auto begin = choices_.names.begin();
  const std::size_t choice = wanted.index.value_or(
      static_cast<std::size_t>(std::find(begin, choices_.names.end(), wanted.name) - begin));
  if (choice >= choices_.names.size()) {
    const std::string what =
        wanted.index ? fmt::format("{}", choice + 1) : fmt::format("'{}'", one_line(wanted.name));
    return {
        ControlAnswer::Outcome::kRefused,
        fmt::format("choice is {}; allowed: 1 to {}, or their names", what, choices_.names.size())};
  }
  if (choice == choice_) return {};
  try {
    hear(session, choices_, choice);
  } catch (const Error& error) {
    return {ControlAnswer::Outcome::kRefused,
            fmt::format("{} is not heard yet: {}", choices_.names[choice], error.what())};
  }
  return {};
}

/// Throws: Error when the session refuses it.
void LiveFilters::hear(LiveSession& session, const LiveChoices& choices, std::size_t choice) {
  const FilterBank& bank = choices.banks[choice];
  const std::size_t crossfade = crossfade_frames(settings_, session);
  Pending pending{choices.names[choice], std::nullopt, 0};
  if (choices.routing.edges() == choices_.routing.edges()) {
    pending.ticket = session.swap(bank, crossfade);
  } else {
    pending.engine_changes = session.status().engine_changes + 1;
    session.change_engine(session.engine_config(), bank, choices.routing, crossfade);
  }
  pending_.push_back(std::move(pending));
  choice_ = choice;
}

void LiveFilters::reload(LiveSession& session) {
  const SignalsForMainThread guard;
  LiveChoices fresh = settings_.load(devices_.rate_hz, devices_.input.input_channels);
  refuse_other_shape(fresh);
  hear(session, fresh, same_choice(fresh));
  choices_ = std::move(fresh);
  watch_.watch(choices_.files);
}

void LiveFilters::refuse_other_shape(const LiveChoices& fresh) const {
  const auto refuse = [](const std::string& what) { throw Error(ErrorKind::kConfiguration, what); };
  if (fresh.routing.inputs() != choices_.routing.inputs() ||
      fresh.routing.outputs() != choices_.routing.outputs()) {
    refuse(fmt::format("it has {} in and {} out; the run has {} and {}",
                       counted(fresh.routing.inputs(), "channel"), fresh.routing.outputs(),
                       choices_.routing.inputs(), choices_.routing.outputs()));
  }
  if (fresh.longest_taps > most_taps_) {
    refuse(fmt::format("its longest filter has {} taps; the run has room for {} (--max-taps)",
                       fresh.longest_taps, most_taps_));
  }
}

/// The choice of the same name, or the first.
std::size_t LiveFilters::same_choice(const LiveChoices& fresh) const {
  const auto begin = fresh.names.begin();
  const auto found = std::find(begin, fresh.names.end(), choices_.names[choice_]);
  return found == fresh.names.end() ? 0 : static_cast<std::size_t>(found - begin);
}

void LiveFilters::tell_heard(LiveSession& session,
                             const std::function<void(const std::string&, std::int64_t)>& told) {
  while (!pending_.empty()) {
    const Pending& next = pending_.front();
    const auto frame = next.ticket ? session.live_frame(*next.ticket)
                       : session.status().engine_changes < next.engine_changes
                           ? std::nullopt
                           : std::optional(session.engine_facts().heard_from);
    if (!frame) return;
    told(next.name, *frame);
    pending_.erase(pending_.begin());
  }
}

}  // namespace firbank::program
