// MonitorSettings: whether and where a run's monitor listens, and what it wants to be told before
// it changes anything.
#pragma once

#include <optional>
#include <string>

namespace firbank::program {

struct MonitorSettings {
  std::optional<int> port = {};       // nothing: no monitor; 0: any that is free
  std::string address = "127.0.0.1";  // a number, or localhost
  std::string token = {};             // for changes; empty: one is made

  /// Throws: Error (kConfiguration) naming the option.
  void check() const;
};

}  // namespace firbank::program
