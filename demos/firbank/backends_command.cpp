#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "demos/firbank/commands.hpp"
#include "demos/firbank/exit_code.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank backends
  firbank filter in.wav out.wav --filter hall.wav --backend cpu-scalar)";

int run() {
  const std::vector<BackendInfo> backends = list_backends();
  std::size_t width = 0;
  for (const BackendInfo& backend : backends) {
    width = std::max({width, backend.instruction_set.size(), std::string("instructions").size()});
  }
  fmt::print("{:<10} {:<{}} {}\n", "backend", "instructions", width, "here");
  bool best = true;
  for (const BackendInfo& backend : backends) {
    const std::string here = !backend.available ? "no: " + backend.reason
                             : best             ? "yes, the best here (auto)"
                                                : "yes";
    fmt::print("{:<10} {:<{}} {}\n", backend.name, backend.instruction_set, width, here);
    if (backend.available) best = false;
  }
  return kExitDone;
}

}  // namespace

void add_backends_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("backends", "List what can compute here, best first");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([&exit_code] { exit_code = run(); });
}

}  // namespace firbank::program
