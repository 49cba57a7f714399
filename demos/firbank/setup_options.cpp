#include "demos/firbank/setup_options.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {

void SetupOptions::add_to(CLI::App& command) {
  bank.add_to(command, false);
  synthetic.add_to(command);
  command
      .add_option("--channels", channels,
                  "Input channels; unless given, as many as the filters fit")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command.add_option("--rate", sample_rate_hz, "Sample rate of the stream (48000)")
      ->type_name("HZ")
      ->check(positive_number());
  engine.add_to(command);
}

Setup SetupOptions::connected(const FilterBank& filters) const {
  Routing routing =
      bank.connect(channels.value_or(bank.natural_channels(filters.size())), filters.size());
  const BankSize size = size_of(filters);
  return {filters, std::move(routing), size};
}

Setup SetupOptions::load(std::uint64_t seed, const Notice& notice) const {
  return connected(bank.files.empty() ? synthetic.make(seed) : bank.load(sample_rate_hz, notice));
}

Setup SetupOptions::outline(const Notice& notice) const {
  if (!bank.files.empty()) return connected(bank.load(sample_rate_hz, notice));
  Setup setup = connected(FilterBank(std::vector(synthetic.filters, std::vector<double>{1.0})));
  setup.size.shortest_taps = setup.size.longest_taps = synthetic.taps;
  return setup;
}

EngineConfig SetupOptions::outline_config(PlanGoal goal) const {
  EngineConfig config = engine.config(sample_rate_hz, goal);
  if (bank.files.empty()) config.max_taps = synthetic.taps;
  return config;
}

std::string describe(const Setup& setup, const SetupOptions& options) {
  return fmt::format("{}: {} in, {} out",
                     describe(setup.size, options.bank.routing, options.sample_rate_hz),
                     counted(setup.routing.inputs(), "channel"), setup.routing.outputs());
}

}  // namespace firbank::program
