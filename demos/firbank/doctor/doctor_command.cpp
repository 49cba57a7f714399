// firbank doctor: what costs latency on this machine.
#include "demos/firbank/commands.hpp"

namespace firbank::program {

void add_doctor_command(CLI::App& app, int& exit_code) {
  app.add_subcommand("doctor", "Find what costs latency on this machine")->group("Commands");
  static_cast<void>(exit_code);
}

}  // namespace firbank::program
