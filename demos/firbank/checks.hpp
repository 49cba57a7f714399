// Checks of option values: each failure names the value and what is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace firbank::program {

/// A whole number in decimal digits, `least` to `most`.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// A finite number, `least` to `most`.
CLI::Validator number(double least, double most);

/// A finite number above 0.
CLI::Validator positive_number();

/// One of a few words.
CLI::Validator one_of(std::vector<std::string> words);

}  // namespace firbank::program
