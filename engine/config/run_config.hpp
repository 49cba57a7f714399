// RunConfig: a whole run as data: channels, filters, which of them connect what in which preset,
// and how the engine is to compute. What configuration files are read into, whatever their format;
// plain values that a program may as well fill by itself.
//
// Nothing here opens the files that are named; ConfigBanks does, and makes filters of it all.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/config/equaliser.hpp"
#include "engine/config/serve_settings.hpp"

namespace firbank {

/// A delay of both parts together; seconds are rounded to the nearest frame of the stream's rate.
struct Delay {
  std::size_t frames = 0;
  double seconds = 0;  // 0 or above

  bool operator==(const Delay&) const = default;
};

/// Part of one channel of a file. Counts are of the file's own frames, before it is resampled.
struct FileResponse {
  std::string path;
  std::size_t channel = 0;    // from 0
  bool wrap_channel = false;  // beyond the file's last channel its first one follows
  std::size_t offset = 0;     // frames left out at the beginning
  std::size_t length = 0;     // frames used; 0: all that follow
  std::size_t segment = 0;    // which of `segments` equal parts of the file is meant
  std::size_t segments = 1;
  bool trim = false;  // leave leading silence out

  bool operator==(const FileResponse&) const = default;
};

/// A Hilbert transformer of 2 (length / 2) taps around tap length / 2: with k counted from there,
/// -2 / (pi k) (0.43 + 0.57 cos(2 pi k / length)) for odd k, 0 for even k.
struct HilbertResponse {
  std::size_t length = 0;

  bool operator==(const HilbertResponse&) const = default;
};

using TapList = std::vector<double>;

using Stage = std::variant<FileResponse, HilbertResponse, TapList, Equaliser>;

/// Stages one after another; none at all is a unit impulse.
struct FilterSpec {
  std::string name;  // unique among the filters
  std::vector<Stage> stages = {};
  double gain = 1;  // linear
  Delay delay = {};
};

/// What an output hears of an input; repeated edges add.
struct EdgeSpec {
  std::size_t input = 0;
  std::size_t output = 0;
  std::optional<std::size_t> filter = {};  // index; none: the input as it is
  double gain = 1;                         // linear
  Delay delay = {};
};

/// One of the ways the run can sound. An output is gain x wet x mix + dry x (1 - mix). The dry
/// signal of an output is the input of its number, or the only input there is; outputs beyond the
/// inputs have none.
struct PresetSpec {
  std::string name;  // unique among the presets
  std::vector<EdgeSpec> edges = {};
  double gain = 1;           // linear, of what the edges give
  double mix = 1;            // 0 (dry) to 1 (wet)
  bool bypass = false;       // the dry signal alone
  bool level_match = false;  // as loud as the dry signal: ConfigBanks tells how it is measured
};

struct StreamSettings {
  double sample_rate_hz = 0;  // 0: that of the file or device
  std::string input_file;
  std::string output_file;
  std::string input_device;
  std::string output_device;
};

struct EngineSettings {
  std::size_t block_frames = 256;
  std::size_t threads = 1;
  std::string backend = "auto";
  std::string precision = "float";  // float or double
  std::string spectra = "full";     // full or int16
  /// Frames of every response, its delay included: longer ones are cut, and the output of a file
  /// is as much longer than its input, less 1. 0: as long as the longest.
  std::size_t response_frames = 0;
  double crossfade_seconds = 0.02;  // of every change while running
};

struct RunConfig {
  std::string path;                 // of the file it was read from, for messages
  std::vector<std::string> inputs;  // names of the channels
  std::vector<std::string> outputs;
  StreamSettings stream;
  EngineSettings engine;
  std::vector<FilterSpec> filters;
  std::vector<PresetSpec> presets;  // at least one; a run begins with the first
  std::optional<ServeSettings> serve;

  /// Lines that were understood but cannot be obeyed, each with its place: "eq.txt, line 3: ...".
  std::vector<std::string> unsupported;
};

/// Limits that readers keep to, so that a hostile file cannot ask for endless memory.
inline constexpr std::size_t kMostConfigChannels = 65'536;
inline constexpr std::size_t kMostConfigEdges = std::size_t{1} << 20;
inline constexpr std::size_t kMostConfigFrames = std::size_t{1} << 28;  // of delays and lengths

/// Index of the preset. Throws: Error (kConfiguration) that lists those there are.
std::size_t find_preset(const RunConfig& config, const std::string& name);

}  // namespace firbank
