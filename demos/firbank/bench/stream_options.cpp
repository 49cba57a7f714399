#include "demos/firbank/bench/stream_options.hpp"

#include <utility>

#include <fmt/format.h>

#include "demos/firbank/bench/noise_filters.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {

void StreamOptions::add_to(CLI::App& command) {
  add_shape_to(command);
  command
      .add_option("--block", engine.block_frames,
                  fmt::format("Frames a block ({}), 1 to 65536", engine.block_frames))
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  engine.add_plan_to(command);
  engine.add_arithmetic_to(command);
}

void StreamOptions::add_shape_to(CLI::App& command) {
  bank.add_to(command, false);
  command
      .add_option("--channels", channels,
                  "Input channels; unless given, as many as the filters fit, or 2")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command
      .add_option("--filters", filters,
                  "Noise filters, without files of them; unless given, as many as\n"
                  "the channels need")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command.add_option("--taps", taps, fmt::format("Taps of each noise filter ({})", taps))
      ->type_name("N")
      ->check(whole_number(1, 16'777'216));
  command.add_option("--rate", sample_rate_hz, "Sample rate of the stream (48000)")
      ->type_name("HZ")
      ->check(positive_number());
}

StreamCase StreamOptions::make(const std::function<void(const std::string&)>& notice,
                               PlanGoal goal) const {
  bank.check();
  EngineConfig config = engine.config(sample_rate_hz, goal);
  config.costs = engine.chosen_costs(notice).model;
  if (bank.files.empty()) {
    const std::size_t all = noise_channels();
    StreamCase stream = make_noise(all, filters.value_or(noise_filters_of(all)), taps);
    stream.config = std::move(config);
    return stream;
  }
  if (filters) refuse(fmt::format("--filters {} has no use with --filter", *filters));
  const FilterBank loaded = bank.load(sample_rate_hz, notice);
  const std::size_t fitting = bank.natural_channels(loaded.size());
  Routing routing = bank.connect(channels.value_or(fitting), loaded.size());
  return {std::move(config), loaded, std::move(routing)};
}

StreamCase StreamOptions::make_noise(std::size_t of_channels, std::size_t of_filters,
                                     std::size_t of_taps) const {
  // Before the filters are made: shapes that do not fit are told at once.
  Routing routing = bank.connect(of_channels, of_filters);
  return {engine.config(sample_rate_hz, PlanGoal::kLive), noise_filters(of_filters, of_taps),
          std::move(routing)};
}

std::size_t StreamOptions::noise_channels() const {
  if (channels) return *channels;
  if (filters) return bank.natural_channels(*filters);
  return bank.routing == "bank" ? 1 : 2;
}

std::size_t StreamOptions::noise_filters_of(std::size_t of_channels) const {
  if (bank.routing == "matrix") return of_channels * bank.outputs.value_or(1);
  return bank.routing == "bank" ? 2 : of_channels;
}

std::string describe(const StreamCase& stream, const std::string& routing) {
  return fmt::format("{} in, {} out, {}", counted(stream.routing.inputs(), "channel"),
                     stream.routing.outputs(),
                     describe(size_of(stream.bank), routing, stream.config.sample_rate_hz));
}

nlohmann::ordered_json setting_json(const StreamCase& stream, const StreamOptions& options) {
  return {{"inputs", stream.routing.inputs()},
          {"outputs", stream.routing.outputs()},
          {"filters", stream.bank.size()},
          {"taps", stream.bank.longest()},
          {"routing", options.bank.routing},
          {"block_frames", stream.config.block_frames},
          {"sample_rate_hz", stream.config.sample_rate_hz},
          {"precision", options.engine.precision},
          {"spectra", options.engine.spectra}};
}

}  // namespace firbank::program
