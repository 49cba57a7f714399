// Gives libFuzzer the seeds that the standalone driver has: an empty corpus folder, the last of the
// arguments, is filled with them before the run begins.
#include <filesystem>
#include <fstream>

#include "tests/fuzz/fuzz_target.hpp"

// The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::filesystem::path folder = *argc > 1 ? (*argv)[*argc - 1] : "";
  if (!std::filesystem::is_directory(folder) || !std::filesystem::is_empty(folder)) return 0;
  std::size_t number = 0;
  for (const std::string& seed : firbank::fuzz::seeds()) {
    std::ofstream(folder / ("seed-" + std::to_string(++number)), std::ios::binary) << seed;
  }
  return 0;
}
