// firbank: the command line. Commands are a file each; this one maps what happened to exit codes.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "demos/firbank/commands.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/version.hpp"
#include "io/error.hpp"

namespace {

using namespace firbank::program;

constexpr const char* kExamples = R"(Examples:
  firbank filter voice.wav wet.wav --filter hall.wav     put a voice into a hall
  firbank live --filter hall.wav                         play in a hall
  firbank design lowpass low.wav --rate 48000 --cutoff 1000 --transition 200
  firbank run hall.toml --input voice.wav --output wet.wav
  firbank serve probe.toml                               filter packets of other programs
  firbank info hall.wav                                  what is in a file
  firbank plan --filter hall.wav --block 64              what it would cost, live
  firbank tune                                           measure what plans are chosen by
  firbank verify                                         prove it on this machine
  firbank doctor                                         find what costs latency here

'firbank COMMAND --help' tells more; so does 'man firbank'.)";

/// One line on stderr, whatever the message holds.
void print_error(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  tell("firbank: {}\n", message);
}

/// What to tell of a command that is nothing without a part, where `rest` was not understood; empty
/// where that is options alone.
std::string part_missing(const CLI::App& command, const std::vector<std::string>& rest) {
  std::string parts;
  for (const CLI::App* part : command.get_subcommands({})) {
    parts += (parts.empty() ? "" : ", ") + part->get_name();
  }
  if (rest.empty()) return fmt::format("{} what? There is: {}", command.get_name(), parts);
  for (const std::string& word : rest) {
    if (word.starts_with('-')) continue;
    return fmt::format("there is no {} {}; there is: {}", command.get_name(), word, parts);
  }
  return {};
}

/// What to tell of arguments that do not parse. A mistyped command or option is named before what
/// is missing, since it is the likelier reason.
std::string complaint(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const std::vector<std::string_view> given(argv + 1, argv + argc);
  if (app.get_subcommands().empty()) {
    const auto word = std::find_if(given.begin(), given.end(),
                                   [](std::string_view text) { return !text.starts_with('-'); });
    if (word != given.end()) return fmt::format("there is no command {}", *word);
  } else if (const CLI::App& command = *app.get_subcommands()[0];
             command.get_require_subcommand_min() > 0 && command.get_subcommands().empty()) {
    const std::string part = part_missing(command, app.remaining(true));
    if (!part.empty()) return part;
  }
  for (const std::string& argument : app.remaining(true)) {
    if (argument == "--") break;
    const bool is_option = argument.size() > 1 && argument[0] == '-';
    if (is_option) return fmt::format("there is no option {}", argument);
  }
  return error.what();
}

int run(int argc, char** argv) {
  int exit_code = kExitDone;
  CLI::App app("Filters streams through banks of FIR filters, in real time or as fast as it goes",
               "firbank");
  app.set_version_flag("--version", std::string("firbank ") + kVersion, "Print the version");
  app.set_help_flag("-h,--help", "Print this help");
  app.get_formatter()->column_width(36);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND ...");
  app.get_formatter()->label("Positionals", "Arguments");
  app.get_formatter()->label("REQUIRED", "(needed)");
  app.require_subcommand(0, 1);
  app.footer(kExamples);
  add_filter_command(app, exit_code);
  add_run_command(app, exit_code);
  add_live_command(app, exit_code);
  add_serve_command(app, exit_code);
  add_demo_command(app, exit_code);
  add_plan_command(app, exit_code);
  add_tune_command(app, exit_code);
  add_verify_command(app, exit_code);
  add_design_command(app, exit_code);
  add_info_command(app, exit_code);
  add_backends_command(app, exit_code);
  add_devices_command(app, exit_code);
  add_bench_command(app, exit_code);
  add_doctor_command(app, exit_code);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) {
      print_error(
          "a command is needed: filter, run, live, serve, demo, plan, tune, verify, design, info, "
          "backends, devices, bench or doctor (see 'firbank --help')");
      return kExitUsage;
    }
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
  } catch (const CLI::CallForVersion&) {
    std::cout << "firbank " << kVersion << '\n';
  } catch (const CLI::ParseError& error) {
    std::string commands;
    for (const CLI::App* in = &app; !in->get_subcommands().empty();) {
      in = in->get_subcommands()[0];
      commands += in->get_name() + " ";
    }
    print_error(
        fmt::format("{} (see 'firbank {}--help')", complaint(app, error, argc, argv), commands));
    return kExitUsage;
  }
  std::cout.flush();
  if (std::cout.fail() || std::fflush(stdout) != 0) {
    print_error("standard output: it cannot be written");
    return kExitFile;
  }
  return exit_code;
}

/// A standard stream that is closed would give its number to the next file that is opened, and what
/// is meant for one would go to the other. So it gets the null device: what is told is lost, and
/// samples, which cannot be read or written this way, are an error.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    if (open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_WRONLY) < 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const firbank::Error& error) {
    // A wait for a pipe that was broken off by a signal ends as an error of that pipe.
    if (interrupt_requested()) {
      const bool told = std::string_view(error.what()).starts_with("stopped");
      print_error(fmt::format("{}{}", told ? "" : "stopped by a signal: ", error.what()));
      return kExitInterrupted;
    }
    print_error(error.what());
    return error.kind() == firbank::ErrorKind::kConfiguration ? kExitUsage : kExitFile;
  } catch (const std::bad_alloc&) {
    print_error("not enough memory for these filters and channels");
    return kExitUsage;
  } catch (const std::exception& error) {
    print_error(error.what());
    return kExitFile;
  }
}
