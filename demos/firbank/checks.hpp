// Checks of option values: each failure names the value and what is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace firbank::program {

/// A whole number in decimal digits, `least` to `most`.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// Bytes: a whole number from 1 on, with K, M, G or T behind it for 1,024 to that power; what is
/// stored is the number of bytes.
CLI::Validator size_in_bytes();

/// A finite number, `least` to `most`.
CLI::Validator number(double least, double most);

/// A finite number above 0.
CLI::Validator positive_number();

/// One of a few words.
CLI::Validator one_of(std::vector<std::string> words);

/// Throws: Error (kConfiguration) with this line.
[[noreturn]] void refuse(const std::string& message);

/// Throws Error when `output` (may be "-"), which the command line calls `name`, is one of the
/// other files, by whatever name: it would be overwritten.
void refuse_same_file(const std::string& name, const std::string& output,
                      const std::vector<std::string>& others);

}  // namespace firbank::program
