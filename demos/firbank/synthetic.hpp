// SyntheticBank: seeded noise filters, for commands that run without filter files; and noise.
#pragma once

#include <cstddef>
#include <cstdint>

#include <CLI/CLI.hpp>

#include "engine/filter_bank.hpp"
#include "engine/reference.hpp"

namespace firbank::program {

struct SyntheticBank {
  std::size_t filters = 1;
  std::size_t taps = 48'000;

  /// Adds --filters and --taps; what they are now is the default.
  void add_to(CLI::App& command);

  /// Noise that decays by 60 dB. The first filter has `taps` taps, the others 1 to `taps`.
  FilterBank make(std::uint64_t seed) const;
};

/// White noise between -1 and 1, representable in float.
Signal noise(std::size_t channels, std::size_t frames, std::uint64_t seed);

}  // namespace firbank::program
