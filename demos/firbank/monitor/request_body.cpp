#include "demos/firbank/monitor/request_body.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

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

bool truth(const Json& body, const char* key) {
  const Json& value = body[key];
  if (!value.is_boolean()) {
    refuse_body(fmt::format("{} is {}; allowed: true or false", key, shown(value)));
  }
  return value.get<bool>();
}

/// A number from `least` on; nothing where it is a text, which is then the name.
std::optional<std::size_t> number_or_name(const Json& body, const char* key, std::uint64_t least,
                                          std::string& name) {
  const Json& value = body[key];
  if (value.is_string()) {
    name = value.get<std::string>();
    return std::nullopt;
  }
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least) {
    refuse_body(
        fmt::format("{} is {}; allowed: a number from {} on, or a name", key, shown(value), least));
  }
  return static_cast<std::size_t>(value.get<std::uint64_t>());
}

ControlRequest choice(const Json& body) {
  Choose choose;
  const auto number = number_or_name(body, "choice", 1, choose.name);
  if (number) choose.index = *number - 1;
  return choose;
}

ControlRequest gain(const Json& body) {
  const Json& value = body["gain_db"];
  // Written so that a NaN, if ever there is one, is refused.
  const bool is_allowed = value.is_number() && value.get<double>() >= kLeastGainDb &&
                          value.get<double>() <= kMostGainDb;
  if (!is_allowed) {
    refuse_body(
        fmt::format("gain_db is {}; allowed: {} to {}", shown(value), kLeastGainDb, kMostGainDb));
  }
  return SetGain{value.get<double>()};
}

ControlRequest bypass(const Json& body) {
  return SetBypass{truth(body, "bypass")};
}

ControlRequest limiter(const Json& body) {
  return SetLimiter{truth(body, "limiter")};
}

ControlRequest backend(const Json& body) {
  const Json& value = body["backend"];
  if (!value.is_string()) {
    refuse_body(fmt::format("backend is {}; allowed: a name", shown(value)));
  }
  return SetBackend{value.get<std::string>()};
}

ControlRequest bad(const Json& body) {
  MarkBad mark;
  mark.channel = number_or_name(body, "channel", 0, mark.name);
  mark.bad = truth(body, "bad");
  return mark;
}

struct Kind {
  std::string_view path;
  std::array<const char*, 2> keys;           // of the members; the second one may be missing
  ControlRequest (*read)(const Json& body);  // which has them all

  std::size_t members() const { return keys[1] == nullptr ? 1 : 2; }
};

constexpr std::array kKinds = {
    Kind{"/api/choice", {"choice"}, choice},    Kind{"/api/gain", {"gain_db"}, gain},
    Kind{"/api/bypass", {"bypass"}, bypass},    Kind{"/api/limiter", {"limiter"}, limiter},
    Kind{"/api/backend", {"backend"}, backend}, Kind{"/api/bad", {"channel", "bad"}, bad},
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
  bool has_all = json.is_object() && json.size() == kind.members();
  for (std::size_t i = 0; has_all && i < kind.members(); ++i) {
    has_all = json.contains(kind.keys[i]);
  }
  if (!has_all) {
    const std::string more = kind.members() > 1 ? fmt::format(" and '{}'", kind.keys[1]) : "";
    refuse_body(fmt::format("the body is {}; allowed: an object with '{}'{} alone", shown(json),
                            kind.keys[0], more));
  }
  return kind.read(json);
}

}  // namespace firbank::program
