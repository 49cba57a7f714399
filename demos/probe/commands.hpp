// The commands of the probe program.
#pragma once

#include <CLI/CLI.hpp>

namespace firbank::probe {

void add_send_command(CLI::App& app, int& exit_code);
void add_score_command(CLI::App& app, int& exit_code);
void add_watch_command(CLI::App& app, int& exit_code);

}  // namespace firbank::probe
