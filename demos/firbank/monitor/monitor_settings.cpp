#include "demos/firbank/monitor/monitor_settings.hpp"

#include <fmt/format.h>

#include "demos/firbank/monitor/access.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {

void MonitorSettings::check() const {
  const auto refuse = [](const std::string& what) { throw Error(ErrorKind::kConfiguration, what); };
  if (!port) {
    if (!token.empty()) refuse("--token needs --monitor");
    return;
  }
  if (!is_number(address) && address != "localhost") {
    refuse(
        fmt::format("--address '{}' is not allowed; a number such as 127.0.0.1 or ::1, and "
                    "localhost, are",
                    one_line(address)));
  }
  if (!is_loopback(address) && token.empty()) {
    refuse(fmt::format("--address {} can be reached from other machines; that needs --token",
                       address));
  }
  if (!token.empty()) check_token(token);
}

}  // namespace firbank::program
