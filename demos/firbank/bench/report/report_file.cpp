#include "demos/firbank/bench/report/report_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demos/firbank/wording.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchemaStem = "firbank.bench.";
constexpr std::string_view kSchemaVersion = ".1";
constexpr std::array<std::string_view, 6> kKinds = {"latency",  "capacity", "throughput",
                                                    "loopback", "compare",  "doctor"};

// Reports have some hundred kilobytes, and six levels. What is read and written again needs memory
// for every byte, and stack for every level.
constexpr std::streamsize kMostBytes = 64 << 20;
constexpr std::size_t kMostLevels = 32;
constexpr std::size_t kMostNames = 1'000;  // of one object, in which each is looked for

struct Fault {
  std::string what;
};

std::string bytes_of(std::istream& stream) {
  std::string bytes;
  std::array<char, 1 << 16> part{};
  while (stream.read(part.data(), part.size()) || stream.gcount() > 0) {
    bytes.append(part.data(), static_cast<std::size_t>(stream.gcount()));
    if (bytes.size() > static_cast<std::size_t>(kMostBytes)) {
      throw Fault{fmt::format("it is larger than {}, which no report is",
                              program::bytes(static_cast<double>(kMostBytes)))};
    }
  }
  return bytes;
}

std::string bytes_of_file(const std::string& path) {
  if (path == "-") return bytes_of(std::cin);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw Fault{"it is a folder"};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Fault{"it cannot be read"};
  return bytes_of(file);
}

/// Throws: Fault where brackets are nested deeper than kMostLevels, or an object has more than
/// kMostNames. It looks at the bytes: the parser's own callback would have it look through all that
/// it has so far, again and again.
void check_shape(std::string_view bytes) {
  std::vector<std::size_t> names = {0};  // so far, at each level
  bool in_string = false;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const char c = bytes[n];
    if (c == '"') in_string = !in_string;
    if (in_string) {
      if (c == '\\') ++n;
    } else if (c == '[' || c == '{') {
      names.push_back(0);
      if (names.size() > kMostLevels + 1) {
        throw Fault{fmt::format("it has more than {} levels, which no report has", kMostLevels)};
      }
    } else if (c == ']' || c == '}') {
      if (names.size() > 1) names.pop_back();
    } else if (c == ':' && ++names.back() > kMostNames) {
      throw Fault{fmt::format("an object in it has more than {} names, which none of a report has",
                              kMostNames)};
    }
  }
}

Json parse(const std::string& bytes) {
  check_shape(bytes);
  try {
    return Json::parse(bytes);
  } catch (const Json::parse_error& error) {
    if (error.byte >= bytes.size()) {
      throw Fault{bytes.empty() ? "it is empty" : "its JSON ends too early: is it truncated?"};
    }
    throw Fault{fmt::format("it is no JSON (at byte {})", error.byte)};
  } catch (const Json::exception&) {
    throw Fault{"it is no JSON: it has a number that is too large"};
  }
}

/// The text under `key`; nothing where there is none.
std::optional<std::string> text_at(const Json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

void check_schema(const Json& report) {
  const std::optional<std::string> schema = text_at(report, "schema");
  if (!schema) throw Fault{"it is no report of firbank: it names no schema"};
  for (const std::string_view kind : kKinds) {
    if (*schema == fmt::format("{}{}{}", kSchemaStem, kind, kSchemaVersion)) return;
  }
  throw Fault{fmt::format("schema '{}' is not known; {}KIND{} is, where KIND is {}",
                          one_line(*schema), kSchemaStem, kSchemaVersion, fmt::join(kKinds, ", "))};
}

/// "123 us"; times in the unit that suits them.
std::string quantity(double value, const std::string& unit) {
  if (unit == "ns") return duration(value / 1e9);
  if (unit == "us") return duration(value / 1e6);
  if (unit == "s") return duration(value);
  return fmt::format("{:.4g}{}{}", value, unit.empty() ? "" : " ", printable(unit));
}

}  // namespace

Json read_report(const std::string& path) {
  try {
    Json report = parse(bytes_of_file(path));
    check_schema(report);
    return report;
  } catch (const Fault& fault) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", input_name(path), fault.what));
  }
}

std::string report_kind(const Json& report) {
  const std::string schema = text_at(report, "schema").value_or("");
  if (schema.size() < kSchemaStem.size() + kSchemaVersion.size()) return {};
  return schema.substr(kSchemaStem.size(),
                       schema.size() - kSchemaStem.size() - kSchemaVersion.size());
}

std::string headline_text(const Json& report) {
  const auto found = report.find("headline");
  if (found == report.end()) return {};
  const std::optional<std::string> name = text_at(*found, "name");
  if (!name) return {};
  const auto value = found->find("value");
  const bool is_number = value != found->end() && value->is_number();
  const std::string unit = text_at(*found, "unit").value_or("");
  const std::string better = text_at(*found, "better").value_or("");
  return fmt::format("{}: {}{}", printable(*name),
                     is_number ? quantity(value->get<double>(), unit) : "not known",
                     better.empty() ? "" : fmt::format(" ({} is better)", one_line(better)));
}

std::string verdict_text(const Json& report) {
  const auto found = report.find("verdict");
  if (found == report.end() || !found->is_object()) return {};
  const auto usable = found->find("usable");
  if (usable == found->end() || !usable->is_boolean()) return {};
  std::string text = usable->get<bool>() ? "usable" : "not usable";
  const auto reasons = found->find("reasons");
  if (reasons == found->end() || !reasons->is_array()) return text;
  const char* mark = ": ";
  for (const Json& reason : *reasons) {
    if (!reason.is_string()) continue;
    text += mark + printable(reason.get<std::string>());
    mark = "; ";
  }
  return text;
}

}  // namespace firbank::program
