// The commands of `firbank bench`: each adds itself to that command, runs as its callback, and
// stores the exit code. What goes wrong is thrown as Error.
#pragma once

#include <CLI/CLI.hpp>

namespace firbank::program {

void add_capacity_bench(CLI::App& bench, int& exit_code);
void add_compare_bench(CLI::App& bench, int& exit_code);
void add_latency_bench(CLI::App& bench, int& exit_code);
void add_loopback_bench(CLI::App& bench, int& exit_code);
void add_throughput_bench(CLI::App& bench, int& exit_code);
void add_show_bench(CLI::App& bench, int& exit_code);

}  // namespace firbank::program
