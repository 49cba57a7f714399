// MetricsText: text as Prometheus reads it, version 0.0.4 of its format: families with HELP and
// TYPE, each followed by its samples.
//
// Thread: one at a time.
#pragma once

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace firbank::program {

/// A label's value; the format knows three escapes.
std::string escaped(std::string_view text);

class MetricsText {
 public:
  /// What sample() is of from now on: firbank_NAME. `type` is counter, gauge, histogram or summary.
  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    add("# HELP firbank_{} {}\n# TYPE firbank_{} {}\n", name, help, name, type);
  }
  /// `labels` without the braces; `suffix` is a histogram's or a summary's.
  template <class Value>
  void sample(Value value, const std::string& labels = {}, const char* suffix = "") {
    add("firbank_{}{}{} {}\n", name_, suffix, labels.empty() ? "" : "{" + labels + "}", value);
  }

  /// A family of one sample.
  template <class Value>
  void gauge(const char* name, const char* help, Value value) {
    family(name, "gauge", help);
    sample(value);
  }
  template <class Value>
  void counter(const char* name, const char* help, Value value) {
    family(name, "counter", help);
    sample(value);
  }

  std::string take() { return std::move(text_); }

 private:
  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  const char* name_ = "";
  std::string text_;
};

}  // namespace firbank::program
