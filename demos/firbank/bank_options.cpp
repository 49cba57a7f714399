#include "demos/firbank/bank_options.hpp"

#include <utility>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/filter_files.hpp"

namespace firbank::program {

void BankOptions::add_to(CLI::App& command, bool filter_required) {
  command
      .add_option("-f,--filter", files,
                  "File with filters: audio or .npy (each channel is one filter), or\n"
                  "text with one number a line. May be given again for more filters")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->required(filter_required);
  command
      .add_option("--routing", routing,
                  "rows (default): filter i on channel i; a single filter on all.\n"
                  "bank: every filter on every channel; output channel x filters + filter.\n"
                  "matrix: filter i x N + o from input i to output o, summed over inputs")
      ->type_name("rows|bank|matrix")
      ->check(one_of({"rows", "bank", "matrix"}));
  command.add_option("--outputs", outputs, "Output channels of --routing matrix")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command.add_flag("--no-resample", no_resample,
                   "Refuse a filter of another sample rate instead of resampling it");
}

void BankOptions::check() const {
  if (routing == "matrix" && !outputs) {
    refuse("--routing matrix needs --outputs N, the number of output channels");
  }
  if (routing != "matrix" && outputs) {
    refuse(fmt::format("--outputs {} has no use with --routing {}; it is for matrix only", *outputs,
                       routing));
  }
}

FilterBank BankOptions::load(double sample_rate_hz,
                             const std::function<void(const std::string&)>& notice) const {
  FilterFileOptions options;
  options.sample_rate_hz = sample_rate_hz;
  options.refuse_resampling = no_resample;
  options.notice = notice;
  return load_filters(files, options);
}

Routing BankOptions::connect(std::size_t channels, std::size_t filters) const {
  if (routing == "matrix") return Routing::matrix(channels, *outputs, filters);
  return routing == "bank" ? Routing::bank(channels, filters) : Routing::rows(channels, filters);
}

std::size_t BankOptions::natural_channels(std::size_t filters) const {
  if (routing == "bank") return 1;
  if (routing == "matrix") return filters < *outputs ? 1 : filters / *outputs;
  return filters;
}

BankSize size_of(const FilterBank& bank) {
  return {bank.size(), bank.shortest(), bank.longest()};
}

std::string describe(const BankSize& size, const std::string& routing, double sample_rate_hz) {
  const std::string lengths = size.shortest_taps == size.longest_taps
                                  ? fmt::format("{}", size.longest_taps)
                                  : fmt::format("{} to {}", size.shortest_taps, size.longest_taps);
  return fmt::format("{} of {} taps ({}), {}", counted(size.filters, "filter"), lengths,
                     duration(static_cast<double>(size.longest_taps) / sample_rate_hz), routing);
}

}  // namespace firbank::program
