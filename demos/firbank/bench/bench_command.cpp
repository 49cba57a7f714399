// firbank bench: the laboratory's commands under one name.
#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/commands.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank bench latency --channels 64 --taps 4096 --block 64
  firbank bench latency --seconds 60 --html latency.html
)";

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("bench", "Measure latency, capacity and throughput");
  command->require_subcommand(1);
  command->group("Commands");
  command->footer(kExamples);
  add_show_bench(*command, exit_code);
}

}  // namespace firbank::program
