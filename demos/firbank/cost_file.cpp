#include "demos/firbank/cost_file.hpp"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "demos/firbank/bench/machine/machine_facts.hpp"
#include "demos/firbank/version.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr int kFormat = 1;
constexpr std::streamsize kMostBytes = 65'536;
/// What is wrong with a file, without its name.
struct Fault {
  std::string what;
};

void check_value(const std::string& name, double value) {
  if (value >= kLeastCostNs && value <= kMostCostNs) return;
  throw Fault{
      fmt::format("'{}' is {} ns; allowed: {} to {}", name, value, kLeastCostNs, kMostCostNs)};
}

double number(const nlohmann::json& costs, const std::string& name) {
  if (!costs.contains(name) || !costs[name].is_number()) {
    throw Fault{fmt::format("there is no number '{}' in it", name)};
  }
  const double value = costs[name];
  check_value(name, value);
  return value;
}

template <class Values>
void read_list(const nlohmann::json& costs, const std::string& name, Values& values) {
  if (!costs.contains(name) || !costs[name].is_array()) {
    throw Fault{fmt::format("there is no list '{}' in it", name)};
  }
  const nlohmann::json& list = costs[name];
  if (list.size() != values.size()) {
    throw Fault{fmt::format("'{}' has {} values; {} are needed", name, list.size(), values.size())};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!list[i].is_number()) throw Fault{fmt::format("'{}' holds what is no number", name)};
    values[i] = list[i];
    check_value(name, values[i]);
  }
}

std::string text(const nlohmann::json& json, const std::string& name) {
  if (!json.contains(name) || !json[name].is_string()) {
    throw Fault{fmt::format("there is no text '{}' in it", name)};
  }
  return one_line(json[name].get<std::string>());
}

MeasuredCosts parse(const std::string& bytes) {
  const nlohmann::json json = nlohmann::json::parse(bytes, nullptr, false);
  if (json.is_discarded() || !json.is_object()) throw Fault{"it is no JSON object"};
  if (!json.contains("format") || !json["format"].is_number_integer()) {
    throw Fault{"it has no number 'format', as cost files have"};
  }
  if (json["format"] != kFormat) {
    throw Fault{
        fmt::format("its format is {}; this program reads {}", json["format"].dump(), kFormat)};
  }
  MeasuredCosts result;
  result.version = text(json, "firbank");
  result.processor = text(json, "processor");
  result.date = text(json, "date");
  result.backend = text(json, "backend");
  result.precision = text(json, "precision");
  if (!json.contains("costs") || !json["costs"].is_object()) {
    throw Fault{"there is no object 'costs' in it"};
  }
  const nlohmann::json& costs = json["costs"];
  CostModel& model = result.model;
  read_list(costs, "transform_ns", model.transform_ns);
  read_list(costs, "product_ns", model.product_ns);
  model.edge_ns = number(costs, "edge_ns");
  model.sum_ns = number(costs, "sum_ns");
  model.slice_ns = number(costs, "slice_ns");
  model.add_ns = number(costs, "add_ns");
  model.direct_product_ns = number(costs, "direct_product_ns");
  model.direct_frame_ns = number(costs, "direct_frame_ns");
  return result;
}

std::string today() {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace

std::string processor_name() {
  return one_line(processor_name(SystemFiles()));
}

MeasuredCosts measured_now(const CostModel& model, const std::string& backend,
                           const std::string& precision) {
  return {model, backend, precision, processor_name(), today(), kVersion};
}

std::filesystem::path cost_file_path(const std::string& backend, const std::string& precision) {
  std::filesystem::path folder;
  const char* const cache = secure_getenv("XDG_CACHE_HOME");
  const char* const home = secure_getenv("HOME");
  // Relative ones are invalid by the XDG base directory specification.
  if (cache != nullptr && std::filesystem::path(cache).is_absolute()) {
    folder = cache;
  } else if (home != nullptr && std::filesystem::path(home).is_absolute()) {
    folder = std::filesystem::path(home) / ".cache";
  } else {
    return {};
  }
  return folder / "firbank" / fmt::format("costs-{}-{}.json", backend, precision);
}

nlohmann::ordered_json to_json(const MeasuredCosts& costs) {
  const CostModel& model = costs.model;
  return {{"format", kFormat},
          {"firbank", costs.version},
          {"processor", costs.processor},
          {"date", costs.date},
          {"backend", costs.backend},
          {"precision", costs.precision},
          {"costs",
           {{"transform_ns", model.transform_ns},
            {"product_ns", model.product_ns},
            {"edge_ns", model.edge_ns},
            {"sum_ns", model.sum_ns},
            {"slice_ns", model.slice_ns},
            {"add_ns", model.add_ns},
            {"direct_product_ns", model.direct_product_ns},
            {"direct_frame_ns", model.direct_frame_ns}}}};
}

MeasuredCosts read_cost_file(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::kInput, fmt::format("{}: {}", path.string(), what));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw fail("it is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw fail("it cannot be read");
  std::string bytes(static_cast<std::size_t>(kMostBytes), '\0');
  file.read(bytes.data(), kMostBytes);
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  try {
    return parse(bytes);
  } catch (const Fault& fault) {
    throw fail(fault.what);
  }
}

std::string mismatch(const MeasuredCosts& costs, const std::string& backend,
                     const std::string& precision) {
  const auto unlike = [](const char* what, const std::string& its, const std::string& here) {
    return its == here ? std::string()
                       : fmt::format("it is of {} {}, and this is {}", what, its, here);
  };
  for (const std::string& line :
       {unlike("processor", costs.processor, processor_name()),
        unlike("firbank", costs.version, kVersion), unlike("backend", costs.backend, backend),
        unlike("precision", costs.precision, precision)}) {
    if (!line.empty()) return line;
  }
  return {};
}

}  // namespace firbank::program
