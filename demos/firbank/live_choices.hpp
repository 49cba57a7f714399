// LiveChoices: the filters that a live run can change among, made ready for one routing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "demos/firbank/live_settings.hpp"
#include "engine/filter_bank.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

struct LiveChoices {
  std::vector<FilterBank> banks;   // one a file, all with as many filters
  std::vector<std::string> names;  // of the files, without their folders
  Routing routing;
  std::size_t longest_taps = 0;
  std::vector<std::string> files;  // that all this was read from
};

/// Loads each file at the stream's rate. A file with one filter serves where others have more; a
/// single input channel is heard through all filters of a row. `input_channels` are what the device
/// has at most; --channels counts where it is given. Filters that are too loud are normalised or
/// told of in one line each. Throws: Error.
LiveChoices load_choices(const LiveSettings& settings, double sample_rate_hz,
                         std::size_t input_channels);

}  // namespace firbank::program
