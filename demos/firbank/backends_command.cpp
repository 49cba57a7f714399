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
  fmt::print("{:<14} {:<14} {}\n", "backend", "instructions", "here");
  bool best = true;
  bool cuda = false;
  for (const BackendInfo& backend : backends) {
    const std::string here = !backend.available ? "no: " + backend.reason
                             : best             ? "yes, the best here (auto)"
                                                : "yes";
    fmt::print("{:<14} {:<14} {}\n", backend.name, backend.instruction_set, here);
    if (backend.available) best = false;
    cuda = cuda || backend.name.starts_with("cuda");
  }
  if (!cuda) fmt::print("{:<14} {:<14} {}\n", "cuda", "", "no: not part of this build");
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
