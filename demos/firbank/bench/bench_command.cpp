// firbank bench: the laboratory's commands under one name.
#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/commands.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  firbank bench latency --channels 64 --taps 4096 --block 64
  firbank bench capacity --taps 512 --rate 30000
  firbank bench throughput
  firbank bench loopback --input-device USB --output-device USB    makes a noise
  firbank bench compare --interleave old/bin/firbank new/bin/firbank
  firbank bench show latency.json --html latency.html

'firbank bench COMMAND --help' tells more.)";

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* const command = app.add_subcommand("bench", "Measure, and show what was measured");
  command->require_subcommand(1);
  command->group("Commands");
  command->footer(kExamples);
  add_latency_bench(*command, exit_code);
  add_capacity_bench(*command, exit_code);
  add_throughput_bench(*command, exit_code);
  add_loopback_bench(*command, exit_code);
  add_compare_bench(*command, exit_code);
  add_show_bench(*command, exit_code);
}

}  // namespace firbank::program
