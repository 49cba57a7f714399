// The README, the manual page and the completions agree with the program.
#include <regex>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/backends.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

using Words = std::set<std::string>;

const std::vector<std::string> kCommands = {"filter",        "run",
                                            "live",          "serve",
                                            "demo",          "plan",
                                            "tune",          "verify",
                                            "design",        "info",
                                            "backends",      "devices",
                                            "bench",         "bench loopback",
                                            "bench latency", "bench capacity",
                                            "bench compare", "bench throughput",
                                            "bench show",    "doctor"};

/// What matches the first group of `pattern` in `text`, all over it.
Words matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Words words;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    words.insert((*at)[1].str());
  }
  return words;
}

/// The program's name and the words of a command, such as "bench loopback".
std::vector<std::string> command_line(const std::string& command) {
  std::vector<std::string> words = {FIRBANK_PROGRAM};
  std::istringstream text(command);
  for (std::string word; text >> word;) words.push_back(word);
  return words;
}

/// Long and short options that the program lists for a command, or without one.
Words options_of(const std::string& command) {
  std::vector<std::string> words = command_line(command);
  words.push_back("--help");
  const ProgramResult help = run_program(words);
  EXPECT_EQ(help.exit_code, 0);
  // "  -f,--filter FILE", in the columns of the names.
  const Words names = matches(help.out, "\n  (-[-a-z,]*)");
  Words options;
  for (const std::string& name : names) options.merge(matches(name, "(-[-a-z]+)"));
  return options;
}

Words options_of(const std::vector<std::string>& commands) {
  Words options;
  for (const std::string& command : commands) options.merge(options_of(command));
  return options;
}

/// What the program says of an option, one space between the words.
std::string told_of(const std::string& command, const std::string& option) {
  std::vector<std::string> words = command_line(command);
  words.push_back("--help");
  const std::string help = run_program(words).out;
  const std::size_t begin = help.find("\n  " + option + " ");
  EXPECT_NE(begin, std::string::npos) << option;
  if (begin == std::string::npos) return "";
  std::string told = help.substr(begin, help.find("\n  -", begin + 1) - begin);
  return std::regex_replace(told, std::regex("\\s+"), " ");
}

/// The manual page with its hyphens as plain ones.
std::string manual() {
  return std::regex_replace(read_bytes(FIRBANK_MANUAL), std::regex(R"(\\-)"), "-");
}

/// The lines from `.SH TITLE` to the next section.
std::string section(const std::string& title) {
  std::istringstream lines(manual());
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".SH ")) inside = line == ".SH " + title;
    if (inside) text += line + "\n";
  }
  EXPECT_NE(text, "") << "no section " << title;
  return text;
}

/// Options that a section describes: those in the headings of its paragraphs.
Words described(const std::string& title) {
  Words options;
  for (const std::string& heading : matches(section(title), "\n\\.TP\n(.*)")) {
    options.merge(matches(heading, "(?:^|[ \"])(--?[a-z][-a-z]*)"));
  }
  return options;
}

TEST(Manual, DescribesTheOptionsThatHelpLists) {
  const Words everywhere = described("OPTIONS OF EVERY COMMAND");
  EXPECT_EQ(everywhere, options_of("backends"));
  const auto own = [&](const std::vector<std::string>& commands) {
    Words options = options_of(commands);
    for (const std::string& option : everywhere) options.erase(option);
    return options;
  };
  EXPECT_EQ(described("OPTIONS OF FILTER"), own({"filter"}));
  EXPECT_EQ(described("OPTIONS OF RUN"), own({"run"}));
  EXPECT_EQ(described("OPTIONS OF LIVE"), own({"live"}));
  EXPECT_EQ(described("OPTIONS OF SERVE"), own({"serve"}));
  EXPECT_EQ(described("OPTIONS OF BENCH THROUGHPUT"), own({"bench throughput"}));
  EXPECT_EQ(described("OPTIONS OF DEVICES"), own({"devices"}));
  EXPECT_EQ(described("OPTIONS OF DEMO"), own({"demo"}));
  EXPECT_EQ(described("OPTIONS OF BENCH LOOPBACK"), own({"bench loopback"}));
  EXPECT_EQ(described("OPTIONS OF BENCH LATENCY"), own({"bench latency"}));
  EXPECT_EQ(described("OPTIONS OF BENCH CAPACITY"), own({"bench capacity"}));
  EXPECT_EQ(described("OPTIONS OF BENCH COMPARE"), own({"bench compare"}));
  EXPECT_EQ(described("OPTIONS OF PLAN AND VERIFY"), own({"plan", "verify"}));
  EXPECT_EQ(described("OPTIONS OF TUNE"), own({"tune"}));
  EXPECT_EQ(described("OPTIONS OF DESIGN"), own({"design"}));
  EXPECT_EQ(described("OPTIONS OF INFO"), own({"info"}));
  EXPECT_EQ(described("OPTIONS OF DOCTOR"), own({"doctor"}));
  EXPECT_EQ(described("OPTIONS OF BENCH SHOW"), own({"bench show"}));
  for (const std::string& option : own({""})) {
    EXPECT_THAT(section("OPTIONS OF EVERY COMMAND"), HasSubstr(option));
  }
}

// Threads do something else in each of a GPU's modes, which not every command has.
TEST(Help, NamesTheModeForThroughputOnlyWhereItCanBeChosen) {
  for (const std::string& command : kCommands) {
    const Words options = options_of(command);
    if (!options.contains("--threads")) continue;
    SCOPED_TRACE(command);
    const std::string told = told_of(command, "--threads");
    EXPECT_THAT(told, HasSubstr("Threads that compute (1), 1 to 64"));
    EXPECT_EQ(told.find("throughput") != std::string::npos, options.contains("--gpu-mode")) << told;
  }
}

TEST(Manual, DescribesTheCommandsAndTheExitCodes) {
  const std::string all = run_program({FIRBANK_PROGRAM, "--help"}).out;
  const std::string commands = all.substr(all.find("Commands:"));
  EXPECT_EQ(matches(section("COMMANDS"), "\n\\.TP\n\\.B (.*)"),
            matches(commands.substr(0, commands.find("\n\n")), "\n  ([a-z]+)"));

  const Words codes = matches(section("EXIT STATUS"), "\n\\.TP\n\\.B (.*)");
  EXPECT_EQ(codes, (Words{"0", "1", "2", "3", "4", "5", "130"}));
  const std::string help = run_program({FIRBANK_PROGRAM, "filter", "--help"}).out;
  const std::string readme = read_bytes(FIRBANK_SOURCE "/README.md");
  const auto listed = [](const std::string& text) {
    const std::string list = text.substr(text.find("Exit codes"));
    return matches(list.substr(0, list.find("\n\n")), "\\b([0-9]+) [a-z]");
  };
  EXPECT_EQ(listed(readme), codes);
  EXPECT_EQ(listed(help), (Words{"0", "2", "3", "4", "130"}));
}

TEST(Manual, BearsTheVersionAndADate) {
  EXPECT_TRUE(std::regex_search(
      manual(),
      std::regex("\n\\.TH FIRBANK 1 \"[0-9]{4}-[0-9]{2}-[0-9]{2}\" \"firbank " FIRBANK_VERSION
                 "\"")));
}

std::string completions(const std::string& name) {
  return read_bytes(FIRBANK_SOURCE "/demos/firbank/completions/" + name);
}

/// What bash offers after `words`, the last of which is being typed.
Words offered(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += fmt::format(" '{}'", word);
  const ProgramResult result = run_program(
      {"/usr/bin/env", "bash", "-c",
       completions("firbank.bash") + fmt::format("COMP_WORDS=({})\nCOMP_CWORD={}\n_firbank\n"
                                                 "printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                                                 line, words.size() - 1)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return matches(result.out, "(\\S+)");
}

TEST(Completions, OfferTheOptionsThatHelpLists) {
  Words all;
  for (const std::string& command : kCommands) {
    SCOPED_TRACE(command);
    const Words options = options_of(command);
    Words long_ones;
    for (const std::string& option : options) {
      if (option.starts_with("--")) long_ones.insert(option);
    }
    std::vector<std::string> words = command_line(command);
    words.push_back("--");
    EXPECT_EQ(offered(words), long_ones);
    all.merge(long_ones);
  }
  all.insert("--version");
  const Words commands = offered({FIRBANK_PROGRAM, ""});
  const Words measured = offered({FIRBANK_PROGRAM, "bench", ""});
  for (const std::string& command : kCommands) {
    const std::size_t space = command.find(' ');
    EXPECT_THAT(commands, Contains(command.substr(0, space)));
    if (space == std::string::npos) continue;
    EXPECT_THAT(measured, Contains(command.substr(space + 1)));
  }
  EXPECT_EQ(matches(completions("_firbank"), "(--[a-z][-a-z]*)"), all);
  Words in_fish;
  for (const std::string& option :
       matches(completions("firbank.fish"), "complete -c[^\n]* -l ([-a-z]+)")) {
    in_fish.insert("--" + option);
  }
  EXPECT_EQ(in_fish, all);
}

TEST(Completions, OfferTheFormatsThatACommandWrites) {
  EXPECT_EQ(offered({FIRBANK_PROGRAM, "design", "--output-format", ""}),
            (Words{"float32", "float64"}));
  EXPECT_EQ(offered({FIRBANK_PROGRAM, "filter", "--output-format", ""}),
            (Words{"float32", "float64", "int16", "int24", "int32"}));
}

TEST(Completions, OfferTheBackendsThatCanComputeHere) {
  Words names = {"auto", "cpu"};
  for (const BackendInfo& backend : list_backends()) {
    if (backend.available) names.insert(backend.name);
  }
  EXPECT_EQ(offered({FIRBANK_PROGRAM, "filter", "--backend", ""}), names);
}

TEST(Readme, QuotesTheProgramThatEmbedsTheEngine) {
  EXPECT_THAT(read_bytes(FIRBANK_SOURCE "/README.md"),
              HasSubstr("\n```cpp\n" + read_bytes(FIRBANK_SOURCE "/demos/embed.cpp") + "```\n"));
}

}  // namespace
}  // namespace firbank::test
