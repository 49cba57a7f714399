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
// A sample that is not finite never leaves: it is silence, and counted.
//
// Thread:   process(), note_glitch(): the device's. note_gap(): the owner's, while no callback can
//           come. swap(): one at a time, and not the device's. Everything else: any.
// Realtime: process() and note_glitch() are safe as Engine::process() and push() are. Controls and
//           readings never lock.
#pragma once

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
  std::uint64_t xruns_after_late_call = 0;  // of them, those for which the filters were too slow
  std::uint64_t gaps = 0;                   // times the device was away
  double gap_seconds = 0;                   // how long
  LoadMeter::Reading load;
  Stats engine;
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
  /// The frame of the stream from which the ticket's filters are heard; nothing until then.
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept;

  std::size_t inputs() const noexcept;
  std::size_t outputs() const noexcept;
  double sample_rate_hz() const noexcept;
  /// Frames by which the output is later than the input, the device's own buffers aside.
  std::size_t latency_frames() const noexcept;
  /// For plan(), backend() and the like; not to be driven.
  const Engine& engine() const noexcept;

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
