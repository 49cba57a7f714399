#include "demos/firbank/monitor/request_body.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::json;

constexpr double kLeastGainDb = -120;
constexpr double kMostGainDb = 60;

[[noreturn]] void refuse_body(const std::string& what) {
  throw Error(ErrorKind::kInput, what);
}

/// `value` as it may stand in a message.
std::string shown(const Json& value) {
  return one_line(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool truth(const char* key, const Json& value) {
  if (!value.is_boolean()) {
    refuse_body(fmt::format("{} is {}; allowed: true or false", key, shown(value)));
  }
  return value.get<bool>();
}

ControlRequest choice(const char* key, const Json& value) {
  if (value.is_string()) return Choose{std::nullopt, value.get<std::string>()};
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0) {
    refuse_body(fmt::format("{} is {}; allowed: a number from 1 on, or a name", key, shown(value)));
  }
  return Choose{static_cast<std::size_t>(value.get<std::uint64_t>() - 1), {}};
}

ControlRequest gain(const char* key, const Json& value) {
  // Written so that a NaN, if ever there is one, is refused.
  const bool is_allowed = value.is_number() && value.get<double>() >= kLeastGainDb &&
                          value.get<double>() <= kMostGainDb;
  if (!is_allowed) {
    refuse_body(
        fmt::format("{} is {}; allowed: {} to {}", key, shown(value), kLeastGainDb, kMostGainDb));
  }
  return SetGain{value.get<double>()};
}

ControlRequest bypass(const char* key, const Json& value) {
  return SetBypass{truth(key, value)};
}

ControlRequest limiter(const char* key, const Json& value) {
  return SetLimiter{truth(key, value)};
}

ControlRequest backend(const char* key, const Json& value) {
  if (!value.is_string()) {
    refuse_body(fmt::format("{} is {}; allowed: a name", key, shown(value)));
  }
  return SetBackend{value.get<std::string>()};
}

struct Kind {
  std::string_view path;
  const char* key;
  ControlRequest (*read)(const char* key, const Json& value);
};

constexpr std::array kKinds = {
    Kind{"/api/choice", "choice", choice},    Kind{"/api/gain", "gain_db", gain},
    Kind{"/api/bypass", "bypass", bypass},    Kind{"/api/limiter", "limiter", limiter},
    Kind{"/api/backend", "backend", backend},
};

const Kind* find(std::string_view path) {
  const auto* const found = std::find_if(kKinds.begin(), kKinds.end(),
                                         [&](const Kind& kind) { return kind.path == path; });
  return found == kKinds.end() ? nullptr : found;
}

}  // namespace

bool takes_body(std::string_view path) {
  return find(path) != nullptr;
}

ControlRequest parse_body(std::string_view path, std::string_view body) {
  const Kind& kind = *find(path);
  if (body.size() > kMostBodyBytes) {
    refuse_body(
        fmt::format("the body has {} bytes; allowed: up to {}", body.size(), kMostBodyBytes));
  }
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) {
    refuse_body(fmt::format("the body '{}' is not JSON", one_line(body)));
  }
  if (!json.is_object() || json.size() != 1 || !json.contains(kind.key)) {
    refuse_body(
        fmt::format("the body is {}; allowed: an object with '{}' alone", shown(json), kind.key));
  }
  return kind.read(kind.key, json[kind.key]);
}

}  // namespace firbank::program
