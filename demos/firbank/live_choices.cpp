#include "demos/firbank/live_choices.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/wording.hpp"
#include "engine/filter_gain.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

/// The bank with its only filter as often as others have one each.
FilterBank spread(const FilterBank& bank, std::size_t filters) {
  std::vector<std::vector<double>> all;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < filters; ++i) {
    const auto taps = bank.taps(0);
    all.emplace_back(taps.begin(), taps.end());
    names.push_back(bank.name(0));
  }
  return FilterBank(std::move(all), std::move(names));
}

void refuse_other_sizes(const std::vector<FilterBank>& banks, const std::vector<std::string>& files,
                        std::size_t filters) {
  for (std::size_t i = 0; i < banks.size(); ++i) {
    if (banks[i].size() == filters || banks[i].size() == 1) continue;
    refuse(fmt::format("{} has {}; allowed beside the others: 1 or {}", input_name(files[i]),
                       counted(banks[i].size(), "filter"), filters));
  }
}

/// The bank as it is to be played, and a note where it is loud.
FilterBank checked_gain(const FilterBank& bank, const LiveSettings& settings, double rate_hz) {
  if (settings.normalize) return scaled_to_peak(bank, 1.0);
  const FilterGain loudest = loudest_filter(bank);
  const double peak_db = 20 * std::log10(loudest.peak);
  if (peak_db > settings.max_peak_db) {
    settings.notice(fmt::format(
        "{} raises {:.0f} Hz by {:.1f} dB, more than {} dB (--max-peak); --normalize brings its "
        "peak to 0 dB, --limiter keeps the output within full scale",
        bank.name(loudest.filter), loudest.frequency * rate_hz, peak_db, settings.max_peak_db));
  }
  return bank;
}

/// What --channels, the filters and the device make of it together.
std::size_t channels_for(const LiveSettings& settings, std::size_t filters,
                         std::size_t input_channels) {
  if (settings.channels) return *settings.channels;
  if (!settings.input_map.empty()) return settings.input_map.size();
  const std::size_t natural = settings.bank.natural_channels(filters);
  const bool one_filter_for_all = settings.bank.routing == "rows" && filters == 1;
  return one_filter_for_all ? std::clamp<std::size_t>(input_channels, 1, 2) : natural;
}

}  // namespace

LiveChoices load_choices(const LiveSettings& settings, double sample_rate_hz,
                         std::size_t input_channels) {
  std::vector<FilterBank> banks;
  std::vector<std::string> names;
  std::size_t filters = 1;
  std::size_t longest = 0;
  for (const std::string& file : settings.bank.files) {
    BankOptions one = settings.bank;
    one.files = {file};
    banks.push_back(
        checked_gain(one.load(sample_rate_hz, settings.notice), settings, sample_rate_hz));
    names.push_back(printable(std::filesystem::path(file).filename().string()));
    filters = std::max(filters, banks.back().size());
    longest = std::max(longest, banks.back().longest());
  }
  refuse_other_sizes(banks, settings.bank.files, filters);
  for (FilterBank& bank : banks) {
    if (bank.size() != filters) bank = spread(bank, filters);
  }

  BankOptions connected = settings.bank;
  std::size_t channels = channels_for(settings, filters, input_channels);
  const bool mono_into_rows = connected.routing == "rows" && filters > 1 &&
                              (channels == 1 || (!settings.channels && input_channels == 1));
  if (mono_into_rows) {
    channels = 1;
    connected.routing = "bank";
    settings.notice(fmt::format("the one input channel is heard through all {} filters", filters));
  }
  return {std::move(banks), std::move(names), connected.connect(channels, filters), longest,
          settings.bank.files};
}

}  // namespace firbank::program
