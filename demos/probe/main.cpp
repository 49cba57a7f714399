// probe: a simulated probe that sends packets over TCP, and the judge of what was found in them.
#include <csignal>
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "demos/probe/commands.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  int exit_code = 0;
  CLI::App app(
      "Sends what a probe with many channels would deliver, with known spikes and losses,\n"
      "and judges what was found in it",
      "probe");
  app.require_subcommand(1);
  firbank::probe::add_send_command(app, exit_code);
  firbank::probe::add_score_command(app, exit_code);
  firbank::probe::add_watch_command(app, exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "probe: {}\n", error.what());
    return 2;
  }
}
