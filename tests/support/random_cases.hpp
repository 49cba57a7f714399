// Seeded random signals, filters, routings and call sizes for the tests.
//
// Every value is reproducible from the seed alone. Signals hold values that float represents
// exactly, so that one oracle serves the float engine and the double one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/reference.hpp"
#include "engine/routing.hpp"

namespace firbank::test {

using Random = std::mt19937_64;

/// True when the environment has FIRBANK_TEST_FULL=1: wider sweeps, for minutes instead of seconds.
bool full_sweep();

/// Uniform from `first` to `last`, both included.
std::size_t between(Random& random, std::size_t first, std::size_t last);

/// Samples in (-1, 1).
std::vector<double> random_samples(Random& random, std::size_t frames);
Signal random_signal(Random& random, std::size_t channels, std::size_t frames);

/// The nearest samples of 16 bits.
void round_to_16_bits(Signal& signal);

/// `count` taps of noise with unit energy, so that short and long filters count alike in a sum.
std::vector<double> random_taps(Random& random, std::size_t count);
FilterBank random_bank(Random& random, const std::vector<std::size_t>& lengths);

/// Every input and every filter has an edge, as far as `edges` reaches. Gains are 0.25 to 2, of one
/// sign an input: edges that cancel each other would measure their cancellation and not the engine.
Routing random_routing(Random& random, std::size_t inputs, std::size_t outputs, std::size_t filters,
                       std::size_t edges, std::size_t max_delay);

/// Call sizes of 1 to `max_frames` that add up to `frames`: runs of the nominal size, of single
/// frames, of anything, and sizes next to powers of two.
std::vector<std::size_t> random_calls(Random& random, std::size_t frames, std::size_t nominal,
                                      std::size_t max_frames);

/// Legal sizes for EngineConfig::partition_frames: 1 to 5, the first up to `max_first`, mostly
/// powers of two.
std::vector<std::size_t> random_partition_frames(Random& random, std::size_t max_first);

/// Calls of `call` frames each, the last one shorter where it must be.
std::vector<std::size_t> equal_calls(std::size_t frames, std::size_t call);

}  // namespace firbank::test
