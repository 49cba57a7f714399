// Runs one case of the running path, for callgrind to count: bench/instructions/check does both.
//
//   count_instructions CASE       sets it up, warms up, and runs firbank_counted_steps()
//   count_instructions --list     the names of all cases
//   count_instructions --build    what else the instructions depend on
//
// Prints lines of "name: value".
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <hwy/highway.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#include "bench/instructions/counted_case.hpp"
#include "bench/instructions/counted_steps.hpp"

namespace {

using namespace firbank;
using namespace firbank::bench;

/// The best of those that valgrind knows.
InstructionSet counted_set() {
  const bool has_avx512 = best_instruction_set() == InstructionSet::kAvx512;
  return has_avx512 ? InstructionSet::kAvx2 : best_instruction_set();
}

std::vector<CountedCase> all_cases() {
  std::vector<CountedCase> all;
  for (const auto& some : {kernel_cases(), engine_cases(), io_cases(), stage_cases()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void tell_build() {
  fmt::print("compiler: {}\n", FIRBANK_COMPILER);
  fmt::print("flags: {}\n", FIRBANK_COMPILER_FLAGS);
  fmt::print("library: {}\n", FIRBANK_LIBRARY_KIND);
  fmt::print("Highway: {}.{}.{}\n", HWY_MAJOR, HWY_MINOR, HWY_PATCH);
#if defined(__GLIBC__)
  fmt::print("glibc: {}\n", gnu_get_libc_version());
#endif
  fmt::print("instruction set: {}\n", name(counted_set()));
}

void run(const CountedCase& which) {
  const CountedRun run = which.make(counted_set());
  for (std::size_t n = 0; n < run.warm_up; ++n) run.step();
  firbank_counted_steps(run.step, run.steps);
  fmt::print("step: {}\n", which.unit);
  fmt::print("steps: {}\n", run.steps);
  if (!run.plan.empty()) fmt::print("plan: {}\n", run.plan);
}

int work(const std::string& wanted) {
  const std::vector<CountedCase> cases = all_cases();
  if (wanted == "--list") {
    for (const CountedCase& one : cases) fmt::print("{}\n", one.name);
    return 0;
  }
  if (wanted == "--build") {
    tell_build();
    return 0;
  }
  const auto found = std::find_if(cases.begin(), cases.end(),
                                  [&](const CountedCase& one) { return one.name == wanted; });
  if (found == cases.end()) {
    fmt::print(stderr, "count_instructions: no case '{}'; --list names all\n", wanted);
    return 2;
  }
  run(*found);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("count_instructions CASE | --list | --build\n", stderr);
    return 2;
  }
  try {
    return work(argv[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "count_instructions: {}\n", error.what());
    return 2;
  }
}
