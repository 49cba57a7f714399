// LiveSession: what plays between a sound card's callback and the filters, whatever the device.
//
// The way of a block: input meters; the filters (wet) and, beside them, the input as it was,
// delayed by as much as the filters are late (dry); bypass, a crossfade from wet to dry; the master
// gain, which begins at 0 and fades in; the limiter, where it is on; output meters. Nothing clicks:
// all controls move in straight lines. With the gain at 0 dB and the fade-in past, output frame n
// is what Engine::process gives for it, bit by bit, latency_frames() later.
//
// On a CPU backend the filters run inside process() and add no latency. On a GPU the engine's own
// thread computes, process() touches its rings alone, and a block's time is added to the latency.
//
// The engine may be changed for another one while the stream goes on, as for another backend: it is
// made and hears the past in the owner's thread, and the callback crossfades to it.
//
// A sample that is not finite never leaves: it is silence, and counted.
//
// Thread:   process(), note_glitch(): the device's. note_gap(): the owner's, while no callback can
//           come. swap(), live_frame(), change_engine(), free_old_engines(): one at a time, and not
//           the device's. Everything else: any.
// Realtime: process() and note_glitch() are safe as Engine::process() and push() are. Controls and
//           readings never lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/live_events.hpp"
#include "engine/live_meter.hpp"
#include "engine/load_meter.hpp"
#include "engine/sample_tap.hpp"

namespace firbank {

/// How the weights of wet and dry add up while bypass fades.
enum class BypassFade {
  kLinear,      // to 1: right where both are alike; never louder than the louder one
  kEqualPower,  // their squares to 1: right where they have little in common, as with long halls
};

struct LiveConfig {
  /// The engine, of float arithmetic. The rate is the device's; block_frames what a callback
  /// brings, nominally.
  EngineConfig engine;

  /// With a GPU: the time that it has for a call, in frames; 0 for engine.block_frames. At least
  /// the most frames that a callback brings, or all of them come late. Added to the latency.
  std::size_t gpu_slack_frames = 0;

  double gain_db = 0;             // -120 to 60
  bool bypass = false;            // begins bypassed
  bool limiter = false;           // begins with the limiter on
  double fade_in_seconds = 0.1;   // 0 to 60: from silence, at the beginning and after a gap
  double control_seconds = 0.02;  // 0.001 to 60: what a change of gain or bypass takes
  double release_seconds = 0.05;  // 0.001 to 60: of the limiter
  BypassFade bypass_fade = BypassFade::kLinear;

  /// Added to the delay of the dry signal, 0 to 1,000,000 frames: that of linear-phase filters, so
  /// that bypass compares like with like.
  std::size_t dry_delay_frames = 0;

  /// Samples of input and output that are kept for who watches, 0 to 1,000,000; see input_tap().
  /// Costs a sum over all channels a frame, where it is not 0.
  std::size_t tap_samples = 0;

  /// Whether change_engine() may be called. The input is kept for as long as the longest filter
  /// hears it and a second more, which costs that memory and a copy.
  bool may_change_engine = false;
};

/// A snapshot; counts are since construction.
struct LiveStatus {
  std::int64_t frames = 0;  // of the stream: the next one's number
  double seconds = 0;       // since construction
  double gain_db = 0;
  bool bypass = false;
  bool limiter = false;
  std::int64_t limited_frames = 0;   // that the limiter changed
  std::uint64_t limiter_times = 0;   // how often it began to act
  double limiter_most_db = 0;        // its largest reduction, as a positive number
  std::int64_t silenced_frames = 0;  // in which an output was not finite
  std::int64_t late_frames = 0;      // silent, as a GPU answered too late
  std::int64_t refused_frames = 0;   // input that a GPU's full ring did not take
  std::uint64_t xruns = 0;           // calls for which the device told of lost or missing samples
  /// Drop-outs by the stage that took the time, as LiveStage numbers them: xruns, and for kDevice
  /// calls in which a GPU was not in time.
  std::array<std::uint64_t, kLiveStages> dropouts{};
  std::uint64_t gaps = 0;            // times the device was away
  double gap_seconds = 0;            // how long
  std::uint64_t engine_changes = 0;  // engines that took the place of another
  LoadMeter::Reading load;
  Stats engine;  // of all of them
};

/// The engine that is heard.
struct LiveEngineFacts {
  std::string backend;          // "cpu-avx2"
  std::string instruction_set;  // "AVX2"
  std::string plan;
  std::size_t latency_frames = 0;
  std::int64_t heard_from = 0;  // frame of the stream, at which the fade to it began
};

/// What a device tells of a call.
struct DeviceGlitches {
  bool input_overflow = false;
  bool input_underflow = false;
  bool output_underflow = false;
  bool output_overflow = false;

  bool any() const noexcept {
    return input_overflow || input_underflow || output_underflow || output_overflow;
  }
};

class LiveSession {
 public:
  /// Throws: Error naming the field, its value and what is allowed; what Engine throws.
  LiveSession(const LiveConfig& config, const FilterBank& bank, const Routing& routing);
  ~LiveSession();
  LiveSession(const LiveSession&) = delete;
  LiveSession& operator=(const LiveSession&) = delete;

  /// `in` holds inputs() planes, `out` outputs() planes of `frames` frames, any number. A plane of
  /// `out` may be a plane of `in`.
  void process(const float* const* in, float* const* out, std::size_t frames) noexcept;

  /// To be called before the call of process() that the device tells of.
  void note_glitch(const DeviceGlitches& glitches) noexcept;

  /// The device was away for so long. The filters forget what came before, and the output fades in.
  void note_gap(double seconds);

  /// -120 to 60; what lies outside is moved there, and NaN is 0.
  void set_gain_db(double gain_db) noexcept;
  void set_bypass(bool bypass) noexcept;
  void set_limiter(bool on) noexcept;

  /// Other filters for the same routing, crossfaded over `crossfade_frames`, as soon as they can be
  /// heard without making a call dearer than the fade does. Returns a ticket for live_frame().
  /// Throws: as Engine::swap().
  std::uint64_t swap(const FilterBank& bank, std::size_t crossfade_frames);
  /// The frame of the stream from which the ticket's filters are heard; nothing until then, or
  /// for one that is 256 tickets old. Of filters that came with another engine it is the frame from
  /// which that is heard, unless it was asked before.
  std::optional<std::int64_t> live_frame(std::uint64_t ticket);

  /// Another engine, for another backend, plan or number of threads, or other edges between as many
  /// channels: it hears the past in this call, which takes as long as that does, and is then faded
  /// to over `crossfade_frames`. Of `engine` the rate, max_frames and max_taps stay what they were;
  /// gpu_mode is that of whole filters on a CPU. Where the latencies differ, the fade is between
  /// signals that are as far apart; latency_frames() tells the new one once it is over.
  /// Throws: Error when it cannot be made, or is too slow for the stream, or the one before is not
  /// heard alone yet, or LiveConfig::may_change_engine is false; as Engine. Nothing has changed
  /// then.
  void change_engine(const EngineConfig& engine, const FilterBank& bank, const Routing& routing,
                     std::size_t crossfade_frames);
  /// The same for the filters and edges that there are.
  void change_engine(const EngineConfig& engine, std::size_t crossfade_frames);
  bool is_changing_engine() const noexcept;
  /// Frees engines that are not heard any more; change_engine() does so as well.
  void free_old_engines();
  /// As the engine that was made last was told. Thread: as change_engine().
  const EngineConfig& engine_config() const noexcept;

  std::size_t inputs() const noexcept;
  std::size_t outputs() const noexcept;
  double sample_rate_hz() const noexcept;
  /// Frames by which the output is later than the input, the device's own buffers aside.
  std::size_t latency_frames() const noexcept;
  /// Allocates.
  LiveEngineFacts engine_facts() const;

  LiveStatus status() const noexcept;
  LevelReading input_level(std::size_t input) const noexcept;
  LevelReading output_level(std::size_t output) const noexcept;  // behind gain and limiter
  const LoadMeter& load() const noexcept;
  /// The newest samples of all inputs, and of all outputs as they are played, each mixed to one
  /// channel: LiveConfig::tap_samples of them, or one where that is 0, which stays silent.
  const SampleTap& input_tap() const noexcept;
  const SampleTap& output_tap() const noexcept;
  /// The newest glitches, late calls and gaps, oldest first. Allocates.
  std::vector<LiveEvent> events() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace firbank
