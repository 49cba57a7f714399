#include "demos/firbank/setup_options.hpp"

#include <utility>

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

Setup SetupOptions::load(SyntheticBank::Lengths lengths, std::uint64_t seed,
                         const std::function<void(const std::string&)>& notice) const {
  FilterBank filters =
      bank.files.empty() ? synthetic.make(lengths, seed) : bank.load(sample_rate_hz, notice);
  Routing routing =
      bank.connect(channels.value_or(bank.natural_channels(filters.size())), filters.size());
  return {std::move(filters), std::move(routing)};
}

std::string describe(const Setup& setup, const SetupOptions& options) {
  return fmt::format("{}: {} in, {} out",
                     describe(setup.bank, options.bank.routing, options.sample_rate_hz),
                     counted(setup.routing.inputs(), "channel"), setup.routing.outputs());
}

}  // namespace firbank::program
