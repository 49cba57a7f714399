// What a fuzzer of a parser consists of: a target, seeds to start from, and the rules that every
// parser keeps.
//
// Two drivers run it:
//   libFuzzer     cmake -B build/fuzz -DFIRBANK_BUILD_FUZZERS=ON -DCMAKE_CXX_COMPILER=clang++
//                 cmake --build build/fuzz --target npy_fuzz
//                 build/fuzz/bin/npy_fuzz -max_total_time=60 CORPUS_FOLDER
//                 The folder, empty at first, gets the seeds and then what the fuzzer finds.
//   standalone    npy_fuzz_smoke [ITERATIONS [SEED]]: mutations of the seeds, the same for the same
//                 seed. It is part of the tests and needs no clang.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "io/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace firbank::fuzz {

/// Inputs that are worth changing a little.
std::vector<std::string> seeds();

/// Ends the run, which the driver reports together with the input.
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

/// Runs a parser, which may refuse its input by an Error of the given kind whose message is one
/// line holding `named`, and in no other way.
template <class Parse>
void parse_or_refuse(ErrorKind kind, std::string_view named, Parse parse) {
  try {
    parse();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    require(error.kind() == kind, "the error is of the right kind");
    require(message.find('\n') == message.npos, "the message is one line");
    require(message.find(named) != message.npos, "the message names what was parsed");
  }
}

}  // namespace firbank::fuzz
