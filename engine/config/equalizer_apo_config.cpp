#include "engine/config/equalizer_apo_config.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/config/channel_paths.hpp"
#include "engine/config/config_text.hpp"
#include "engine/config/equaliser_text.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostChannels = 64;
constexpr std::size_t kMostIncludes = 16;      // one inside another
constexpr std::size_t kMostFilesRead = 1'000;  // in all

class Reader {
 public:
  explicit Reader(const EqualizerApoOptions& options)
      : options_(options), paths_(channel_names(options.channels)) {}

  RunConfig read(std::string_view text, const std::string& path) {
    config_.path = path;
    select_all();
    read_file(text, path, 0);
    for (std::size_t i = 0; i < options_.channels; ++i) config_.inputs.push_back(paths_.name(i));
    config_.outputs = config_.inputs;
    paths_.add_to(config_, options_.channels);
    for (const EdgeSpec& edge : config_.presets[0].edges) {
      if (std::isfinite(edge.gain)) continue;
      refuse_config(path, fmt::format("the gains from {} to {} multiply to what is not finite",
                                      config_.inputs[edge.input], config_.outputs[edge.output]));
    }
    return std::move(config_);
  }

 private:
  static std::vector<std::string> channel_names(std::size_t channels) {
    static const std::vector<std::vector<std::string>> layouts = {
        {"C"},
        {"L", "R"},
        {"L", "R", "RL", "RR"},
        {"L", "R", "C", "LFE", "RL", "RR"},
        {"L", "R", "C", "LFE", "RL", "RR", "SL", "SR"}};
    for (const auto& layout : layouts) {
      if (layout.size() == channels) return layout;
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < channels; ++i) names.push_back(fmt::format("{}", i + 1));
    return names;
  }

  void read_file(std::string_view text, const std::string& path, std::size_t depth) {
    const std::string folder = folder_of(path);
    std::size_t number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      if (line.empty() || line[0] == '#') continue;
      place_ = line_place(path, number);
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) {
        unsupported(fmt::format("'{}' is no command", one_line(line)));
        continue;
      }
      std::string_view command = line.substr(0, colon);
      const std::string_view whole_command = trimmed(command);
      const std::string_view parameters = trimmed(line.substr(colon + 1));
      const std::string_view word = take_word(command);
      if (same_word(word, "Include")) {
        include(path_from(folder, parameters), parameters, depth);
      } else {
        obey(word, whole_command, parameters, folder);
      }
    }
  }

  void obey(std::string_view word, std::string_view whole, std::string_view parameters,
            const std::string& folder) {
    const auto is = [&](std::string_view name) { return same_word(word, name); };
    if (is("Filter")) return add_band(parameters);
    if (is("Preamp")) return add_gain(parameters);
    if (is("GraphicEQ")) return add_curve(parameters);
    if (is("Convolution")) return add_convolution(parameters, folder);
    if (is("Delay")) return add_delay(parameters);
    if (is("Channel")) return select(parameters);
    if (is("Copy")) return copy(parameters);
    unsupported(fmt::format("command '{}' is not supported", one_line(whole)));
  }

  void add_band(std::string_view text) {
    const BandText parsed = parse_band(text, place_);
    if (const auto* no = std::get_if<BandUnsupported>(&parsed)) return unsupported(no->why);
    if (const auto* band = std::get_if<EqualiserBand>(&parsed)) {
      for (const std::size_t channel : selected_) {
        paths_.equalise(channel, design(),
                        [&](Equaliser& equaliser) { equaliser.bands.push_back(*band); });
      }
    }
  }

  void add_gain(std::string_view text) {
    std::string_view left = text;
    const std::string_view word = take_word(left);
    const std::optional<double> db = parse_decibels(word, left);
    if (!db || std::abs(*db) > kMostBandGainDb) {
      refuse(fmt::format("the gain is '{}'; a number from {} to {} dB is allowed", one_line(text),
                         -kMostBandGainDb, kMostBandGainDb));
    }
    for (const std::size_t channel : selected_) paths_.scale(channel, std::pow(10.0, *db / 20));
  }

  /// "-6 dB", "-6dB" or "-6".
  static std::optional<double> parse_decibels(std::string_view word, std::string_view left) {
    if (word.size() > 2 && same_word(word.substr(word.size() - 2), "dB")) {
      word.remove_suffix(2);
    } else if (!trimmed(left).empty() && !same_word(trimmed(left), "dB")) {
      return std::nullopt;
    }
    return parse_number(word);
  }

  void add_curve(std::string_view text) {
    const GraphicCurve curve = parse_graphic_curve(text, place_);
    for (const std::size_t channel : selected_) {
      paths_.equalise(channel, design(),
                      [&](Equaliser& equaliser) { equaliser.curves.push_back(curve); });
    }
  }

  void add_convolution(std::string_view text, const std::string& folder) {
    if (text.empty()) refuse("the name of a file is missing");
    FileResponse file;
    file.path = path_from(folder, text);
    file.wrap_channel = true;
    for (std::size_t i = 0; i < selected_.size(); ++i) {
      file.channel = i;
      paths_.append(selected_[i], file);
    }
  }

  void add_delay(std::string_view text) {
    std::string_view left = text;
    const std::optional<double> value = parse_number(take_word(left));
    const std::string_view unit = trimmed(left);
    const bool in_ms = same_word(unit, "ms");
    constexpr double kMostMs = 3.6e6;
    const double most = in_ms ? kMostMs : static_cast<double>(kMostConfigFrames);
    if (!value || *value < 0 || *value > most || (!in_ms && !same_word(unit, "samples"))) {
      refuse(fmt::format("the delay is '{}'; 0 to {} ms, or 0 to {} samples, are allowed",
                         one_line(text), kMostMs, kMostConfigFrames));
    }
    Delay delay;
    if (in_ms) delay.seconds = *value / 1'000;
    if (!in_ms) delay.frames = static_cast<std::size_t>(*value);
    for (const std::size_t channel : selected_) paths_.delay(channel, delay);
  }

  void select_all() {
    selected_.clear();
    for (std::size_t i = 0; i < paths_.size(); ++i) selected_.push_back(i);
  }

  void select(std::string_view text) {
    std::vector<std::size_t> wanted;
    while (!trimmed(text).empty()) {
      const std::string_view word = take_word(text);
      if (same_word(word, "all")) return select_all();
      const std::optional<std::size_t> channel = find_channel(word);
      if (!channel) {
        unsupported(fmt::format("channel '{}' is not there", one_line(word)));
        continue;
      }
      if (std::find(wanted.begin(), wanted.end(), *channel) == wanted.end()) {
        wanted.push_back(*channel);
      }
    }
    selected_ = std::move(wanted);
  }

  std::optional<std::size_t> find_channel(std::string_view word) const {
    const std::optional<std::size_t> number = parse_count(word);
    if (number) {
      return *number >= 1 && *number <= options_.channels ? std::optional(*number - 1)
                                                          : std::nullopt;
    }
    for (const std::string_view name : {word, alias(word)}) {
      for (std::size_t i = 0; i < paths_.size(); ++i) {
        if (same_word(paths_.name(i), name)) return i;
      }
    }
    return std::nullopt;
  }

  /// Other names of the same place: six channels are with rear or with side ones.
  std::string_view alias(std::string_view word) const {
    if (same_word(word, "SUB")) return "LFE";
    if (options_.channels == 8) return word;
    if (same_word(word, "SL")) return "RL";
    if (same_word(word, "SR")) return "RR";
    return word;
  }

  void copy(std::string_view text) {
    std::vector<ChannelPaths::Mix> mixes;
    while (!trimmed(text).empty()) {
      const std::string_view assignment = take_word(text);
      std::optional<ChannelPaths::Mix> mix = parse_mix(assignment);
      if (!mix) return;
      mixes.push_back(std::move(*mix));
    }
    if (mixes.empty()) refuse("Copy has no assignment; one such as L=L+0.5*R is needed");
    if (!paths_.replace(mixes, kMostChannels)) refuse("Copy makes too many channels or ways");
  }

  std::optional<ChannelPaths::Mix> parse_mix(std::string_view assignment) {
    const std::size_t equals = assignment.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      refuse(fmt::format("'{}' is no assignment; one such as L=L+0.5*R is", one_line(assignment)));
    }
    const std::string_view name = assignment.substr(0, equals);
    std::string_view sum = assignment.substr(equals + 1);
    ChannelPaths::Mix mix;
    mix.target = find_channel(name);
    if (!mix.target && parse_count(name)) {
      unsupported(fmt::format("channel '{}' is not there", one_line(name)));
      return std::nullopt;
    }
    mix.name = std::string(name);
    while (!sum.empty()) {
      const std::size_t end = std::min(sum.find('+', 1), sum.size());
      const std::string_view term = sum.substr(0, end);
      sum.remove_prefix(std::min(end + 1, sum.size()));
      if (!add_term(term, mix)) return std::nullopt;
    }
    return mix;
  }

  /// "R", "0.5*R", "-6dB*R" or a constant, which is silence or not supported.
  bool add_term(std::string_view term, ChannelPaths::Mix& mix) {
    double factor = 1;
    const std::size_t star = term.find('*');
    if (star == std::string_view::npos && !parse_count(term)) {
      if (const std::optional<double> constant = parse_number(term)) {
        if (*constant == 0) return true;
        unsupported(fmt::format("the constant {} is not supported; 0.0 is", *constant));
        return false;
      }
    }
    if (term == "0") return true;
    if (star != std::string_view::npos) {
      std::string_view number = term.substr(0, star);
      const bool in_db = number.size() > 2 && same_word(number.substr(number.size() - 2), "dB");
      if (in_db) number.remove_suffix(2);
      const std::optional<double> value = parse_number(number);
      if (!value || std::abs(*value) > (in_db ? kMostBandGainDb : 1e6)) {
        refuse(fmt::format("the factor of '{}' is no number that is allowed", one_line(term)));
      }
      factor = in_db ? std::pow(10.0, *value / 20) : *value;
      term.remove_prefix(star + 1);
    }
    const std::optional<std::size_t> source = find_channel(term);
    if (!source) {
      unsupported(fmt::format("channel '{}' is not there", one_line(term)));
      return false;
    }
    mix.terms.push_back({*source, factor});
    return true;
  }

  void include(const std::string& path, std::string_view name, std::size_t depth) {
    if (name.empty()) refuse("the name of a file is missing");
    if (depth + 1 >= kMostIncludes) {
      refuse(fmt::format("'{}' is included in {} files, one inside another; at most {} are allowed",
                         one_line(name), depth + 1, kMostIncludes - 1));
    }
    if (++files_read_ > kMostFilesRead) {
      refuse(fmt::format("more than {} files are included", kMostFilesRead));
    }
    const std::vector<std::size_t> selected = selected_;
    read_file(options_.read_text(path), path, depth + 1);
    selected_ = selected;
  }

  Equaliser design() const {
    Equaliser equaliser;
    equaliser.taps = options_.taps;
    equaliser.phase = options_.phase;
    return equaliser;
  }

  void unsupported(const std::string& what) {
    config_.unsupported.push_back(fmt::format("{}: {}", place_, what));
  }

  [[noreturn]] void refuse(const std::string& what) const { refuse_config(place_, what); }

  const EqualizerApoOptions& options_;
  ChannelPaths paths_;
  RunConfig config_;
  std::string place_;
  std::vector<std::size_t> selected_;
  std::size_t files_read_ = 0;
};

}  // namespace

RunConfig parse_equalizer_apo_config(std::string_view text, const std::string& path,
                                     const EqualizerApoOptions& options) {
  if (options.channels < 1 || options.channels > kMostChannels) {
    refuse_config(path,
                  fmt::format("the stream has {} channels; Equalizer APO's text is for 1 to {}",
                              options.channels, kMostChannels));
  }
  return Reader(options).read(text, path);
}

}  // namespace firbank
