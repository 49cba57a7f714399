// How loud filters make a signal, and the same filters at a stated loudness. Set-up code.
#pragma once

#include <cstddef>
#include <span>

#include "engine/filter_bank.hpp"

namespace firbank {

struct FilterGain {
  std::size_t filter = 0;  // of the bank
  double peak = 0;         // largest magnitude of its frequency response, linear
  double frequency = 0;    // where that is, in cycles a sample: 0 to 0.5
  double tap_sum = 0;      // sum of |taps|: what an input within +-1 can reach at the very most
};

/// The response is looked at in at least 4 points for each tap, so that `peak` is at most 1 dB
/// below the true one, and mostly far less.
FilterGain filter_gain(std::span<const double> taps);

/// The filter of the bank with the largest peak.
FilterGain loudest_filter(const FilterBank& bank);

/// All filters times one factor, so that the loudest one's peak is `peak` (linear, above 0). Names
/// stay. A bank of zeros stays as it is.
FilterBank scaled_to_peak(const FilterBank& bank, double peak);

}  // namespace firbank
