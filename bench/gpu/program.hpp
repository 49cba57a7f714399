// What the programs of bench/gpu have in common: the words of a command line are the name of a case
// and options, and what goes wrong is told in one line.
//
// Thread: one.
#pragma once

#include <charconv>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace firbank::bench {

/// Options and where their values go. The targets must outlive the last read().
class OptionReader {
 public:
  /// Without a value: `target` becomes `value`.
  void flag(const std::string& option, bool& target, bool value = true) {
    flags_[option] = [&target, value] { target = value; };
  }
  void text(const std::string& option, std::string& target) {
    values_[option] = [&target](const std::string& word) { target = word; };
  }
  /// A whole number, or any for a double.
  template <class Number>
  void number(const std::string& option, Number& target) {
    values_[option] = [option, &target](const std::string& word) {
      const char* const end = word.data() + word.size();
      const auto [rest, error] = std::from_chars(word.data(), end, target);
      if (error != std::errc() || rest != end) refuse(option, word, "a number");
    };
  }
  /// One of the words, and what each stands for.
  template <class Value>
  void choice(const std::string& option, Value& target,
              const std::vector<std::pair<std::string, Value>>& allowed) {
    values_[option] = [option, &target, allowed](const std::string& word) {
      std::string names;
      for (const auto& [name, value] : allowed) {
        if (name == word) {
          target = value;
          return;
        }
        names += (names.empty() ? "" : ", ") + name;
      }
      refuse(option, word, names);
    };
  }

  /// Takes all words but the program's name; the one that is no option is the case's. Throws:
  /// std::runtime_error.
  void read(int count, char** arguments, std::string& name) const {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (const auto flag = flags_.find(word); flag != flags_.end()) {
        flag->second();
      } else if (const auto value = values_.find(word); value != values_.end()) {
        if (++i == words.size()) throw std::runtime_error(word + " needs a value");
        value->second(words[i]);
      } else if (name.empty() && !word.starts_with("--")) {
        name = word;
      } else {
        throw std::runtime_error("there is no option '" + word + "'");
      }
    }
  }

 private:
  [[noreturn]] static void refuse(const std::string& option, const std::string& word,
                                  const std::string& allowed) {
    throw std::runtime_error(option + " is '" + word + "'; allowed: " + allowed);
  }

  std::map<std::string, std::function<void()>> flags_;
  std::map<std::string, std::function<void(const std::string&)>> values_;
};

/// All of a program's main(). Returns its exit code: 1 when `run` throws, and why on stderr.
template <class Run>
int run_program(const char* name, const Run& run) {
  try {
    run();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", name, failure.what());
    return 1;
  }
}

}  // namespace firbank::bench
