#include "demos/firbank/bench/report_envelope.hpp"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "demos/firbank/bench/environment.hpp"

namespace firbank::program {

nlohmann::ordered_json envelope(const std::string& kind, nlohmann::ordered_json setting) {
  return {{"schema", fmt::format("firbank.bench.{}.1", kind)},
          {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
          {"program", program_json()},
          {"environment", environment_json()},
          {"setting", std::move(setting)}};
}

}  // namespace firbank::program
