// Runs a fuzz target without libFuzzer: its seeds, then mutations of them, the same for the same
// seed. Usage: NAME_smoke [ITERATIONS [SEED]]
#include <csignal>
#include <cstring>
#include <random>

#include <unistd.h>

#include "tests/fuzz/fuzz_target.hpp"

namespace {

unsigned long long iteration = 0;
std::string input;

// A target that breaks a rule aborts; the input is shown in a form that C++ reads.
void show_input(int) {
  std::fprintf(stderr, "iteration %llu, %zu bytes: \"", iteration, input.size());
  for (const char c : input) std::fprintf(stderr, "\\%03o", static_cast<unsigned char>(c));
  std::fprintf(stderr, "\"\n");
  std::fflush(stderr);
  _exit(1);
}

std::string mutated(const std::vector<std::string>& seeds, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::string text = seeds[below(seeds.size())];
  for (std::size_t changes = 1 + below(6); changes > 0; --changes) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = 1 + below(8);
    const std::string& other = seeds[below(seeds.size())];
    switch (below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.insert(at, 1, "0123456789-+.eE:,()'{}<> \n\t\r"[below(28)]);
        break;
      case 3:
        text.erase(at, length);
        break;
      case 4:
        text.insert(at, text.substr(below(text.size() + 1), length));
        break;
      case 5:
        text.insert(at, other.substr(below(other.size() + 1), 4 * length));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

void run() {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long long iterations = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  const unsigned long long seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  std::printf("%llu iterations, seed %llu\n", iterations, seed);
  std::signal(SIGABRT, show_input);
  std::signal(SIGSEGV, show_input);

  const std::vector<std::string> seeds = firbank::fuzz::seeds();
  for (const std::string& one : seeds) {
    input = one;
    run();
  }
  std::mt19937_64 random(seed);
  for (iteration = 1; iteration <= iterations; ++iteration) {
    input = mutated(seeds, random);
    run();
  }
  return 0;
}
