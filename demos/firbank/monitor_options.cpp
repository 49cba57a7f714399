#include "demos/firbank/monitor_options.hpp"

#include "demos/firbank/checks.hpp"

namespace firbank::program {

void add_monitor_options(CLI::App& command, MonitorSettings& settings) {
  command
      .add_option("--monitor", settings.port,
                  "Show the run at http://127.0.0.1:PORT/, and take changes there, 0 to\n"
                  "65535; 0 picks a free port. Off unless given")
      ->type_name("PORT")
      ->check(whole_number(0, 65'535));
  command
      .add_option("--address", settings.address,
                  "Address of the monitor (127.0.0.1); one that other machines reach needs\n"
                  "--token")
      ->type_name("IP");
  command
      .add_option("--token", settings.token,
                  "What the monitor wants to be told before it changes anything, 8 to 128\n"
                  "letters and digits; unless given, one is made and printed")
      ->type_name("TEXT");
}

}  // namespace firbank::program
