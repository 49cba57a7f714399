#include "demos/firbank/bench/throughput/throughput_report.hpp"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "demos/firbank/bench/machine/environment.hpp"
#include "demos/firbank/bench/throughput/throughput_figures.hpp"

namespace firbank::program {
namespace {

using Json = nlohmann::ordered_json;

/// Counts as whole numbers.
Json whole(double count) {
  return static_cast<std::uint64_t>(std::llround(count));
}

Json ceilings_json(const std::optional<MachineCeilings>& ceilings) {
  Json json = {{"instruction_set", nullptr},
               {"precision", nullptr},
               {"threads", nullptr},
               {"peak_flops_per_s", nullptr},
               {"reads", Json::array()}};
  if (!ceilings) return json;
  json["instruction_set"] = name(ceilings->instruction_set);
  json["precision"] = ceilings->sample_bytes == sizeof(float) ? "float" : "double";
  json["threads"] = ceilings->threads;
  json["peak_flops_per_s"] = ceilings->peak_flops_per_second;
  for (const ReadCeiling& read : ceilings->reads) {
    json["reads"].push_back({{"bytes", whole(read.bytes)}, {"bytes_per_s", read.bytes_per_second}});
  }
  return json;
}

Json row_json(const ThroughputResult& result, const std::optional<MachineCeilings>& ceilings) {
  const ThroughputFigures figures = throughput_figures(result, ceilings);
  const ThroughputRow& row = result.row;
  Json json = {{"name", row.name},
               {"setting",
                {{"inputs", row.routing.inputs()},
                 {"outputs", row.routing.outputs()},
                 {"filters", row.bank.size()},
                 {"taps", row.bank.longest()},
                 {"routing", row.wiring},
                 {"block_frames", result.call_frames},
                 {"sample_rate_hz", row.config.sample_rate_hz},
                 {"goal", row.goal()},
                 {"precision", row.precision()},
                 {"spectra", row.config.spectra == Spectra::kInt16 ? "int16" : "full"},
                 {"threads", row.config.threads}}},
               {"backend", result.backend},
               {"plan", result.plan.describe()},
               {"counted", result.on_cpu ? "processor time" : "clock, back to back"},
               {"warm_up_frames", result.warm_up_frames},
               {"error", result.error},
               {"frames", whole(figures.median.frames)},
               {"processor_s", figures.median.processor_s},
               {"clock_s", figures.median.clock_s},
               {"spread", figures.spread},
               {"sample_taps_per_s", figures.sample_taps_per_s},
               {"times_realtime", figures.times_realtime},
               {"flops_per_frame", result.floor.flops_per_frame},
               {"bytes_per_frame", result.floor.bytes_per_frame()},
               {"flops_per_byte", result.floor.flops_per_byte()},
               {"flops_per_s", figures.flops_per_s},
               {"bytes_per_s", figures.bytes_per_s},
               {"working_set_bytes", whole(figures.working_set_bytes)},
               {"bus_bytes_per_s", nullptr},
               {"roof_flops_per_s", nullptr},
               {"share_of_peak", nullptr},
               {"share_of_bandwidth", nullptr},
               {"bound_by", nullptr}};
  if (!result.on_cpu) json["bus_bytes_per_s"] = figures.bus_bytes_per_s;
  if (figures.roof) {
    json["roof_flops_per_s"] = figures.roof->flops_per_s;
    json["share_of_peak"] = figures.roof->share_of_peak;
    json["share_of_bandwidth"] = figures.roof->share_of_bandwidth;
    json["bound_by"] = figures.roof->bound_by_reads ? "reads" : "arithmetic";
  }
  return json;
}

/// With quotes where a comma or a quote is in it (RFC 4180).
std::string csv_field(const Json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

nlohmann::ordered_json throughput_json(const ThroughputReport& report) {
  Json rows = Json::array();
  for (const ThroughputResult& result : report.results) {
    if (!result.stretches.empty()) rows.push_back(row_json(result, report.ceilings));
  }
  const std::vector<std::string> doubts = throughput_doubts(report);
  const std::optional<double> headline = throughput_headline(report);
  Json json = begin_report("throughput");
  json["setting"] = {{"seconds_a_row", report.effort.seconds}, {"repeats", report.effort.repeats}};
  json["ceilings"] = ceilings_json(report.ceilings);
  json["rows"] = std::move(rows);
  json["verdict"] = {{"usable", doubts.empty()}, {"reasons", doubts}};
  json["headline"] = {{"name", "samples x taps, geometric mean of the rows"},
                      {"value", headline ? Json(*headline) : Json(nullptr)},
                      {"unit", "1/s"},
                      {"better", "more"}};
  return json;
}

std::string throughput_csv(const nlohmann::ordered_json& report) {
  std::vector<std::string> names;
  std::string lines;
  for (const Json& row : report.at("rows")) {
    names.clear();
    std::vector<std::string> fields;
    const auto add = [&](std::string name, const Json& value) {
      names.push_back(std::move(name));
      fields.push_back(csv_field(value));
    };
    for (const auto& [name, value] : row.items()) {
      if (!value.is_object()) {
        add(name, value);
        continue;
      }
      for (const auto& [inner, of_inner] : value.items()) {
        add(fmt::format("{}.{}", name, inner), of_inner);
      }
    }
    lines += fmt::format("{}\n", fmt::join(fields, ","));
  }
  if (names.empty()) return "";
  return fmt::format("{}\n{}", fmt::join(names, ","), lines);
}

}  // namespace firbank::program
