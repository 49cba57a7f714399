#include "engine/config/toml_config.hpp"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/config/config_text.hpp"
#include "engine/config/equaliser_text.hpp"
#include "engine/config/fir_design.hpp"
#include "engine/config/serve_reader.hpp"
#include "engine/config/toml_table.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr double kLeastDb = -200;
constexpr double kMostDb = 60;
constexpr double kMostGain = 1'000;
constexpr double kMostDelayMs = 600'000;

class Reader {
 public:
  explicit Reader(const std::string& path) : folder_(folder_of(path)) { config_.path = path; }

  RunConfig read(const toml::table& table) {
    TomlTable root(table, "", config_.path);
    read_stream(root);
    root.single("engine", [&](TomlTable& engine) { read_engine(engine); });
    root.each("filter", [&](TomlTable& filter) { read_filter(filter); });
    std::vector<EdgeSpec> common;
    root.each("edge", [&](TomlTable& edge) { common.push_back(read_edge(edge)); });
    root.each("preset", [&](TomlTable& preset) { read_preset(preset, common); });
    root.single("serve", [&](TomlTable& serve) {
      config_.serve = read_serve_settings(serve, folder_, config_.inputs);
    });
    root.refuse_unknown();
    if (config_.presets.empty()) {
      if (common.empty()) {
        root.refuse("there is neither an [[edge]] nor a [[preset]]; one of them is needed");
      }
      config_.presets.push_back({.name = "default", .edges = common});
    }
    return std::move(config_);
  }

 private:
  void read_stream(TomlTable& root) {
    if (!root.has("stream")) root.refuse("the table [stream] is missing; its key inputs is needed");
    root.single("stream", [&](TomlTable& stream) {
      std::optional<std::vector<std::string>> inputs = read_channels(stream, "inputs", "in");
      if (!inputs) stream.refuse("inputs is missing: how many channels, or their names");
      config_.inputs = *std::move(inputs);
      std::optional<std::vector<std::string>> outputs = read_channels(stream, "outputs", "out");
      if (outputs) {
        config_.outputs = *std::move(outputs);
      } else {
        for (std::size_t i = 0; i < config_.inputs.size(); ++i) {
          config_.outputs.push_back(fmt::format("out-{}", i + 1));
        }
      }
      StreamSettings& settings = config_.stream;
      settings.sample_rate_hz = stream.number("rate", 1, 1e9).value_or(0);
      const auto file = [&](std::string_view key) {
        const std::optional<std::string> path = stream.text(key);
        return !path || *path == "-" ? path.value_or("") : path_from(folder_, *path);
      };
      settings.input_file = file("input_file");
      settings.output_file = file("output_file");
      settings.input_device = stream.text("input_device").value_or("");
      settings.output_device = stream.text("output_device").value_or("");
    });
  }

  std::optional<std::vector<std::string>> read_channels(TomlTable& stream, std::string_view key,
                                                        const char* kind) const {
    const std::optional<bool> is_array = stream.is_array(key);
    if (!is_array) return std::nullopt;
    std::vector<std::string> names;
    if (!*is_array) {
      const std::size_t channels = *stream.count(key, 1, kMostConfigChannels);
      for (std::size_t i = 0; i < channels; ++i) names.push_back(fmt::format("{}-{}", kind, i + 1));
      return names;
    }
    names = *stream.texts(key);
    if (names.size() > kMostConfigChannels) {
      stream.refuse(key, fmt::format("it has {} names; 1 to {} are allowed", names.size(),
                                     kMostConfigChannels));
    }
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (seen.emplace(names[i], i).second) continue;
      stream.refuse(key, fmt::format("the name '{}' is there twice; each may be there once",
                                     one_line(names[i])));
    }
    return names;
  }

  void read_engine(TomlTable& table) {
    EngineSettings& engine = config_.engine;
    engine.block_frames = table.count("block", 1, 65'536).value_or(engine.block_frames);
    engine.threads = table.count("threads", 1, 64).value_or(engine.threads);
    engine.backend = table.text("backend").value_or(engine.backend);
    engine.precision = table.one_of("precision", {"float", "double"}).value_or(engine.precision);
    engine.spectra = table.one_of("spectra", {"full", "int16"}).value_or(engine.spectra);
    if (engine.spectra == "int16" && engine.precision == "double") {
      table.refuse("spectra", "it is 'int16'; with precision 'double' full is allowed");
    }
    engine.response_frames = table.count("response_frames", 1, kMostConfigFrames).value_or(0);
    const std::optional<double> crossfade_ms = table.number("crossfade_ms", 0, 60'000);
    if (crossfade_ms) engine.crossfade_seconds = *crossfade_ms / 1'000;
  }

  void read_filter(TomlTable& table) {
    FilterSpec filter;
    filter.name = unique_name(table, filter_names_, config_.filters.size());
    static constexpr std::string_view kKinds[] = {"file", "taps", "equaliser", "hilbert", "chain"};
    std::string_view kind;
    for (const std::string_view key : kKinds) {
      if (!table.has(key)) continue;
      if (!kind.empty()) {
        table.refuse(key, fmt::format("{} is there as well; one of file, taps, equaliser, hilbert "
                                      "and chain is allowed",
                                      kind));
      }
      kind = key;
    }
    if (kind.empty()) {
      table.refuse(
          "what it is made of is missing; one of file, taps, equaliser, hilbert and chain "
          "is needed");
    }
    if (kind == "file") filter.stages.emplace_back(read_file(table));
    if (kind == "taps") filter.stages.emplace_back(*table.numbers("taps"));
    if (kind == "equaliser") filter.stages.emplace_back(read_equaliser(table));
    if (kind == "hilbert") {
      filter.stages.emplace_back(HilbertResponse{*table.count("hilbert", 4, 1 << 20)});
    }
    if (kind == "chain") read_chain(table, filter);
    filter.gain *= read_gain(table);
    add_delay(table, filter.delay);
    config_.filters.push_back(std::move(filter));
  }

  FileResponse read_file(TomlTable& table) const {
    FileResponse file;
    file.path = path_from(folder_, *table.text("file"));
    file.channel = table.count("channel", 1, kMostConfigChannels).value_or(1) - 1;
    file.offset = table.count("offset", 0, kMostConfigFrames).value_or(0);
    file.length = table.count("length", 0, kMostConfigFrames).value_or(0);
    file.trim = table.flag("trim").value_or(false);
    return file;
  }

  static Equaliser read_equaliser(TomlTable& table) {
    Equaliser equaliser;
    const std::string place = table.place("equaliser");
    const std::vector<std::string> parts = *table.texts("equaliser");
    for (const std::string& text : parts) {
      constexpr std::string_view kGraphic = "GraphicEQ:";
      if (same_word(std::string_view(text).substr(0, kGraphic.size()), kGraphic)) {
        equaliser.curves.push_back(
            parse_graphic_curve(std::string_view(text).substr(kGraphic.size()), place));
        continue;
      }
      const BandText parsed = parse_band(text, place);
      if (const auto* no = std::get_if<BandUnsupported>(&parsed)) refuse_config(place, no->why);
      if (const auto* band = std::get_if<EqualiserBand>(&parsed)) equaliser.bands.push_back(*band);
    }
    const std::size_t least = kLeastDesignTaps + zeros_at_dc(equaliser);
    equaliser.taps = table.count("length", 0, kMostDesignTaps).value_or(0);
    if (equaliser.taps != 0 && equaliser.taps < least) {
      table.refuse("length", fmt::format("it is {}; 0 (a choice), or {} to {} are allowed",
                                         equaliser.taps, least, kMostDesignTaps));
    }
    if (table.one_of("phase", {"minimum", "linear"}) == "linear") {
      equaliser.phase = FilterPhase::kLinear;
    }
    return equaliser;
  }

  void read_chain(TomlTable& table, FilterSpec& filter) const {
    constexpr std::size_t kMostStages = 64;
    const std::vector<std::string> links = *table.texts("chain");
    for (const std::string& name : links) {
      const FilterSpec& link = config_.filters[find_filter(table, "chain", name)];
      filter.stages.insert(filter.stages.end(), link.stages.begin(), link.stages.end());
      filter.gain *= link.gain;
      filter.delay.frames += link.delay.frames;
      filter.delay.seconds += link.delay.seconds;
      if (filter.stages.size() > kMostStages || filter.delay.frames > kMostConfigFrames) {
        table.refuse("chain", fmt::format("it is too long; up to {} filters and {} frames of delay "
                                          "are allowed",
                                          kMostStages, kMostConfigFrames));
      }
    }
  }

  EdgeSpec read_edge(TomlTable& table) {
    EdgeSpec edge;
    edge.input = read_channel(table, "input", config_.inputs);
    edge.output = read_channel(table, "output", config_.outputs);
    if (const std::optional<std::string> name = table.text("filter")) {
      edge.filter = find_filter(table, "filter", *name);
    }
    edge.gain = read_gain(table);
    add_delay(table, edge.delay);
    return edge;
  }

  static std::size_t read_channel(TomlTable& table, std::string_view key,
                                  const std::vector<std::string>& names) {
    const std::optional<TomlTable::TextOrCount> channel = table.text_or_count(key, names.size());
    if (!channel) table.refuse(fmt::format("{} is missing: the name or number of a channel", key));
    if (channel->count != 0) return channel->count - 1;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == channel->text) return i;
    }
    table.refuse(key, fmt::format("there is no channel '{}'; a name or a number from 1 to {} is "
                                  "allowed",
                                  one_line(channel->text), names.size()));
  }

  void read_preset(TomlTable& table, const std::vector<EdgeSpec>& common) {
    PresetSpec preset;
    preset.name = unique_name(table, preset_names_, config_.presets.size());
    preset.gain = read_gain(table);
    preset.mix = table.number("mix", 0, 1).value_or(1);
    preset.bypass = table.flag("bypass").value_or(false);
    preset.level_match = table.flag("level_match").value_or(false);
    table.each("edge", [&](TomlTable& edge) { preset.edges.push_back(read_edge(edge)); });
    if (const std::optional<std::string> name = table.text("filter")) {
      if (!preset.edges.empty()) {
        table.refuse("filter", "it has no use beside [[preset.edge]]; one of them is allowed");
      }
      const std::size_t filter = find_filter(table, "filter", *name);
      if (config_.inputs.size() != config_.outputs.size()) {
        table.refuse("filter", fmt::format("there are {} inputs and {} outputs; equal numbers are "
                                           "allowed, as it filters each input into its output",
                                           config_.inputs.size(), config_.outputs.size()));
      }
      for (std::size_t i = 0; i < config_.inputs.size(); ++i) {
        preset.edges.push_back({.input = i, .output = i, .filter = filter});
      }
    } else if (preset.edges.empty()) {
      preset.edges = common;
    }
    if (preset.edges.empty() && !preset.bypass) {
      table.refuse("it connects nothing; a filter, [[preset.edge]], [[edge]] or bypass is needed");
    }
    config_.presets.push_back(std::move(preset));
  }

  static std::string unique_name(TomlTable& table, std::map<std::string, std::size_t>& names,
                                 std::size_t index) {
    const std::optional<std::string> name = table.text("name");
    if (!name) table.refuse("name is missing: a text that no other has");
    if (!names.emplace(*name, index).second) {
      table.refuse(
          "name", fmt::format("'{}' is there twice; each name may be there once", one_line(*name)));
    }
    return *name;
  }

  std::size_t find_filter(const TomlTable& table, std::string_view key,
                          const std::string& name) const {
    const auto at = filter_names_.find(name);
    if (at != filter_names_.end() && at->second < config_.filters.size()) return at->second;
    table.refuse(key,
                 fmt::format("there is no filter '{}' before this one; the name of a [[filter]] "
                             "is allowed",
                             one_line(name)));
  }

  static double read_gain(TomlTable& table) {
    const std::optional<double> db = table.number("gain_db", kLeastDb, kMostDb);
    const std::optional<double> linear = table.number("gain", -kMostGain, kMostGain);
    if (db && linear) table.refuse("gain", "gain_db is there as well; one of them is allowed");
    return db ? std::pow(10.0, *db / 20) : linear.value_or(1);
  }

  static void add_delay(TomlTable& table, Delay& delay) {
    const std::optional<std::size_t> frames = table.count("delay", 0, kMostConfigFrames);
    const std::optional<double> ms = table.number("delay_ms", 0, kMostDelayMs);
    if (frames && ms) table.refuse("delay", "delay_ms is there as well; one of them is allowed");
    delay.frames += frames.value_or(0);
    delay.seconds += ms.value_or(0) / 1'000;
  }

  std::string folder_;
  RunConfig config_;
  std::map<std::string, std::size_t> filter_names_;
  std::map<std::string, std::size_t> preset_names_;
};

}  // namespace

RunConfig parse_toml_config(std::string_view text, const std::string& path) {
  std::optional<toml::table> table;
  try {
    table = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    refuse_config(line_place(path, error.source().begin.line), std::string(error.description()));
  }
  return Reader(path).read(*table);
}

}  // namespace firbank
