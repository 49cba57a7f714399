// Filters of noise for measurements: as long as asked for, all different, quickly made.
#pragma once

#include <cstddef>

#include "engine/filter_bank.hpp"

namespace firbank::program {

/// Each is the same white noise, turned round by 7 taps more than the one before, so that each has
/// spectra of its own; the energy of a filter is about 1/3.
FilterBank noise_filters(std::size_t filters, std::size_t taps);

}  // namespace firbank::program
