// PortaudioDevice: a stream of a sound card, or of an input and an output device of one kind, and
// the callback that it brings blocks to. PortAudio itself stays behind this header.
//
// A device that is unplugged, or whose server stops, brings no more blocks: is_lost() tells. It
// comes back by destroying this and making a new one; while there is no other one the list of
// devices is read anew.
//
// In a build without PortAudio everything here throws Error (kConfiguration), which says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/audio_device.hpp"

namespace firbank {

/// Every device of every host API. Empty where there is none.
/// Thread: one at a time.
std::vector<AudioDevice> list_audio_devices();

/// What the device tells of the samples before a block.
struct AudioGlitches {
  bool input_overflow = false;    // input was lost
  bool input_underflow = false;   // input was missing, and is silence
  bool output_underflow = false;  // output was missing, and was silence or a repetition
  bool output_overflow = false;   // output was thrown away

  bool any() const noexcept {
    return input_overflow || input_underflow || output_underflow || output_overflow;
  }
};

/// What is done with each block: `in` and `out` hold the stream's channels, `frames` frames each;
/// they do not overlap.
/// Thread:   the device's own.
/// Realtime: it must be.
class AudioProcessor {
 public:
  virtual void process(const float* const* in, float* const* out, std::size_t frames,
                       const AudioGlitches& glitches) noexcept = 0;

 protected:
  ~AudioProcessor() = default;
};

struct AudioStreamConfig {
  std::string input_device;   // as choose_audio_device() reads it; empty: the default
  std::string output_device;  // of the same host API as the input
  std::size_t input_channels = 2;
  std::size_t output_channels = 2;

  /// Which channel of the device, from 0 on, each channel of the stream is; empty: the first ones.
  std::vector<std::size_t> input_map;
  std::vector<std::size_t> output_map;

  double sample_rate_hz = 48'000;

  /// Frames a block, or 0 for whatever the device brings, also from block to block, which adds no
  /// buffer and no latency. A fixed number that is not the device's costs up to two blocks.
  std::size_t block_frames = 0;

  /// Latency to ask the device for, each way, in seconds; 0 for its own low one.
  double latency_seconds = 0;
};

class PortaudioDevice {
 public:
  /// Opens the stream, which rests until start(). `processor` must outlive this.
  /// Throws: Error (kConfiguration) for a name, a rate, a number of channels or a map that the
  /// device does not have, with what it does; Error (kInput) when it cannot be opened.
  /// Thread: one at a time, as all but the readings.
  PortaudioDevice(const AudioStreamConfig& config, AudioProcessor& processor);
  ~PortaudioDevice();
  PortaudioDevice(const PortaudioDevice&) = delete;
  PortaudioDevice& operator=(const PortaudioDevice&) = delete;

  /// Throws: Error (kInput).
  void start();
  /// Once it has returned, no callback is running or will come.
  void stop() noexcept;

  /// Whether a started stream has ended by itself, or brought no block for `patience_seconds`.
  bool is_lost(double patience_seconds) noexcept;

  const AudioDevice& input() const noexcept;
  const AudioDevice& output() const noexcept;
  /// As the opened stream tells; often of little worth.
  double input_latency_seconds() const noexcept;
  double output_latency_seconds() const noexcept;

  /// Blocks so far, and the frames of the newest one.
  std::uint64_t blocks() const noexcept;
  std::size_t block_frames() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace firbank
