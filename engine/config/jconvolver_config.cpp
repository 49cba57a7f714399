#include "engine/config/jconvolver_config.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/config/config_text.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;

class Reader {
 public:
  Reader(const std::string& path, const ChannelsOfFile& channels_of)
      : path_(path), folder_(folder_of(path)), channels_of_(channels_of) {
    config_.path = path;
  }

  RunConfig read(std::string_view text) {
    std::size_t line = 0;
    for (const std::string_view one : lines_of(text)) {
      ++line;
      if (one.empty() || one[0] == '#') continue;
      place_ = line_place(path_, line);
      left_ = one;
      obey(take_word(left_));
    }
    finish();
    return std::move(config_);
  }

 private:
  void obey(std::string_view command) {
    if (command == "/convolver/new") return make_convolver();
    if (command == "/cd") return change_folder();
    if (command == "/input/name") return name_channel(input_names_);
    if (command == "/output/name") return name_channel(output_names_);
    if (command.starts_with("/jack/")) return;
    if (command == "/impulse/read") return read_impulse();
    if (command == "/impulse/dirac") return add_dirac();
    if (command == "/impulse/hilbert") return add_hilbert();
    if (command == "/impulse/copy") return copy_impulse();
    if (command == "/impulse/packedmatrix") return read_matrix();
    refuse(
        fmt::format("'{}' is no command; /convolver/new, /cd, /impulse/read, /impulse/dirac, "
                    "/impulse/hilbert, /impulse/copy, /impulse/packedmatrix, /input/name and "
                    "/output/name are",
                    one_line(command)));
  }

  void make_convolver() {
    if (!preset_edges_.empty()) refuse("/convolver/new comes after an /impulse command");
    inputs_ = count("the number of inputs", 1, kMostConfigChannels);
    outputs_ = count("the number of outputs", 1, kMostConfigChannels);
    count("the partition size", 1, 65'536);
    config_.engine.response_frames = count("the maximum impulse length", 1, kMostConfigFrames);
    if (!trimmed(left_).empty()) number("the density", 0, 1);
    end_of_line();
  }

  void change_folder() {
    const std::string_view folder = rest("a folder");
    folder_ = path_from(folder_of(path_), folder);
  }

  void name_channel(std::map<std::size_t, std::string>& names) {
    const std::size_t number = count("the channel", 1, kMostConfigChannels);
    const std::string_view name = take_word(left_);
    if (name.empty()) refuse("a name is missing");
    names[number - 1] = std::string(name);
  }

  void read_impulse() {
    EdgeSpec edge = take_pair();
    edge.gain = gain();
    edge.delay.frames = frames("the delay");
    FileResponse file;
    file.offset = frames("the offset");
    file.length = frames("the length");
    file.channel = count("the channel of the file", 1, kMostConfigChannels) - 1;
    file.path = file_path();
    add(edge, file);
  }

  void add_dirac() {
    EdgeSpec edge = take_pair();
    edge.gain = gain();
    edge.delay.frames = frames("the delay");
    end_of_line();
    add(edge);
  }

  void add_hilbert() {
    EdgeSpec edge = take_pair();
    edge.gain = gain();
    const std::size_t centre = frames("the delay");
    const std::size_t length = count("the length", 64, 65'536);
    end_of_line();
    if (centre < length / 2) {
      refuse(
          fmt::format("the delay is {}; at least half the length, {}, is allowed, as it is the "
                      "centre of the response",
                      centre, length / 2));
    }
    edge.delay.frames = centre - length / 2;
    add(edge, HilbertResponse{length});
  }

  void copy_impulse() {
    const EdgeSpec to = take_pair();
    const EdgeSpec from = take_pair();
    end_of_line();
    const Pair target{to.input, to.output};
    const Pair source = original({from.input, from.output});
    if (source == original(target)) refuse("a response cannot be a copy of itself");
    if (pairs_.count(source) == 0) {
      refuse(fmt::format("input {}, output {} has no response that could be copied", from.input + 1,
                         from.output + 1));
    }
    if (pairs_.count(target) != 0 || copies_.count(target) != 0) {
      refuse(
          fmt::format("input {}, output {} has a response already", to.input + 1, to.output + 1));
    }
    if (copies_.size() + preset_edges_.size() >= kMostConfigEdges) refuse_many();
    copies_.emplace(target, source);
  }

  void read_matrix() {
    const std::size_t inputs = count("the number of inputs", 1, kMostConfigChannels);
    const double matrix_gain = gain();
    const std::size_t delay = frames("the delay");
    FileResponse file;
    file.offset = frames("the offset");
    file.length = frames("the length");
    file.path = file_path();
    file.segments = inputs;
    const std::size_t outputs = channels_of_(file.path);
    if (inputs_ != 0 && (inputs > inputs_ || outputs > outputs_)) {
      refuse(fmt::format("the matrix has {} inputs and {} outputs; /convolver/new has {} and {}",
                         inputs, outputs, inputs_, outputs_));
    }
    if (inputs * outputs > kMostConfigEdges) refuse_many();
    for (std::size_t output = 0; output < outputs; ++output) {
      for (std::size_t input = 0; input < inputs; ++input) {
        file.channel = output;
        file.segment = input;
        EdgeSpec edge{.input = input, .output = output, .gain = matrix_gain};
        edge.delay.frames = delay;
        used_inputs_ = std::max(used_inputs_, input + 1);
        used_outputs_ = std::max(used_outputs_, output + 1);
        add(edge, file);
      }
    }
  }

  /// Adds an edge through a filter of one stage, or of none.
  template <class... OneStage>
  void add(EdgeSpec edge, const OneStage&... stage) {
    if (copies_.count({edge.input, edge.output}) != 0) {
      refuse(
          fmt::format("input {}, output {} is a copy; what is added to its original is in it too",
                      edge.input + 1, edge.output + 1));
    }
    if (preset_edges_.size() + copies_.size() >= kMostConfigEdges) refuse_many();
    if constexpr (sizeof...(stage) > 0) edge.filter = filter_of(stage...);
    pairs_[{edge.input, edge.output}].push_back(preset_edges_.size());
    preset_edges_.push_back(edge);
  }

  /// The same response is kept once, however often it is used.
  std::size_t filter_of(const Stage& stage) {
    const std::string key = name_of(stage);
    const auto [at, is_new] = filters_.emplace(key, config_.filters.size());
    if (is_new) config_.filters.push_back({.name = key, .stages = {stage}});
    return at->second;
  }

  static std::string name_of(const Stage& stage) {
    if (const auto* hilbert = std::get_if<HilbertResponse>(&stage)) {
      return fmt::format("hilbert of {} taps", hilbert->length);
    }
    const auto& file = std::get<FileResponse>(stage);
    std::string name = fmt::format("{}, channel {}", file.path, file.channel + 1);
    if (file.segments > 1) name += fmt::format(", part {} of {}", file.segment + 1, file.segments);
    if (file.offset > 0) name += fmt::format(", from frame {}", file.offset);
    if (file.length > 0) name += fmt::format(", {} frames", file.length);
    return name;
  }

  Pair original(Pair pair) const {
    const auto copy = copies_.find(pair);
    return copy == copies_.end() ? pair : copy->second;
  }

  EdgeSpec take_pair() {
    EdgeSpec edge;
    edge.input = count("the input", 1, inputs_ != 0 ? inputs_ : kMostConfigChannels) - 1;
    edge.output = count("the output", 1, outputs_ != 0 ? outputs_ : kMostConfigChannels) - 1;
    used_inputs_ = std::max(used_inputs_, edge.input + 1);
    used_outputs_ = std::max(used_outputs_, edge.output + 1);
    return edge;
  }

  std::size_t count(const char* what, std::size_t least, std::size_t most) {
    const std::string_view word = take_word(left_);
    const std::optional<std::size_t> value = parse_count(word);
    if (!value || *value < least || *value > most) {
      refuse(fmt::format("{} is '{}'; a whole number from {} to {} is allowed", what,
                         one_line(word), least, most));
    }
    return *value;
  }

  std::size_t frames(const char* what) { return count(what, 0, kMostConfigFrames); }

  double number(const char* what, double least, double most) {
    const std::string_view word = take_word(left_);
    const std::optional<double> value = parse_number(word);
    if (!value || *value < least || *value > most) {
      refuse(fmt::format("{} is '{}'; a number from {} to {} is allowed", what, one_line(word),
                         least, most));
    }
    return *value;
  }

  double gain() { return number("the gain", -1e6, 1e6); }

  std::string_view rest(const char* what) {
    std::string_view text = trimmed(left_);
    if (text.size() >= 2 && text.front() == '"' && text.find('"', 1) != std::string_view::npos) {
      text = text.substr(1, text.find('"', 1) - 1);
    }
    if (text.empty()) refuse(fmt::format("{} is missing", what));
    return text;
  }

  std::string file_path() {
    // A name with blanks stands in quotation marks or ends the line; what follows a plain name
    // after a blank and a '#' is a comment.
    std::string_view text = rest("the name of a file");
    const std::size_t comment = text.find(" #");
    if (comment != std::string_view::npos) text = trimmed(text.substr(0, comment));
    return path_from(folder_, text);
  }

  void end_of_line() {
    const std::string_view text = trimmed(left_);
    if (text.empty() || text[0] == '#') return;
    refuse(fmt::format("'{}' is too much on this line", one_line(text)));
  }

  [[noreturn]] void refuse(const std::string& what) const { refuse_config(place_, what); }

  [[noreturn]] void refuse_many() const {
    refuse(fmt::format("more than {} responses", kMostConfigEdges));
  }

  void finish() {
    if (preset_edges_.empty()) {
      refuse_config(path_, "it has 0 responses; at least one /impulse command is needed");
    }
    if (inputs_ == 0) {
      for (const auto& [number, name] : input_names_)
        used_inputs_ = std::max(used_inputs_, number + 1);
      for (const auto& [number, name] : output_names_) {
        used_outputs_ = std::max(used_outputs_, number + 1);
      }
      inputs_ = used_inputs_;
      outputs_ = used_outputs_;
    }
    // A copy stays one: what came to its original later belongs to it.
    for (const auto& [target, source] : copies_) {
      for (const std::size_t index : pairs_.at(source)) {
        EdgeSpec edge = preset_edges_[index];
        edge.input = target.first;
        edge.output = target.second;
        if (preset_edges_.size() >= kMostConfigEdges) refuse_config(path_, "too many responses");
        preset_edges_.push_back(edge);
      }
    }
    const auto named = [](std::size_t channels, const std::map<std::size_t, std::string>& names,
                          const char* kind) {
      std::vector<std::string> result;
      for (std::size_t i = 0; i < channels; ++i) {
        const auto at = names.find(i);
        result.push_back(at == names.end() ? fmt::format("{}-{}", kind, i + 1) : at->second);
      }
      return result;
    };
    config_.inputs = named(inputs_, input_names_, "in");
    config_.outputs = named(outputs_, output_names_, "out");
    config_.presets.push_back({.name = "convolver", .edges = std::move(preset_edges_)});
  }

  const std::string& path_;
  std::string folder_;
  const ChannelsOfFile& channels_of_;
  RunConfig config_;
  std::string place_;
  std::string_view left_;
  std::size_t inputs_ = 0;  // 0: no /convolver/new yet
  std::size_t outputs_ = 0;
  std::size_t used_inputs_ = 0;
  std::size_t used_outputs_ = 0;
  std::map<std::size_t, std::string> input_names_;
  std::map<std::size_t, std::string> output_names_;
  std::vector<EdgeSpec> preset_edges_;
  std::map<Pair, std::vector<std::size_t>> pairs_;  // edges of each
  std::map<Pair, Pair> copies_;
  std::map<std::string, std::size_t> filters_;
};

}  // namespace

RunConfig parse_jconvolver_config(std::string_view text, const std::string& path,
                                  const ChannelsOfFile& channels_of) {
  return Reader(path, channels_of).read(text);
}

}  // namespace firbank
