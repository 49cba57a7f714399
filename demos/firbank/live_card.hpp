// LiveCard: the devices of a live run, opened, watched, and opened again when they come back.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "demos/firbank/live_devices.hpp"
#include "demos/firbank/live_settings.hpp"
#include "io/portaudio_device.hpp"

namespace firbank::program {

class LiveCard {
 public:
  /// Opens nothing yet. `settings` and `player` outlive it.
  LiveCard(const LiveSettings& settings, const LiveDevices& devices, std::size_t inputs,
           std::size_t outputs, AudioProcessor& player);

  /// Opens the stream and starts it. Throws: Error.
  void open() {
    prepare();
    start();
  }
  /// The two halves of open(): callbacks come after the second one only.
  void prepare();
  void start();

  /// No callback is running or will come once it has returned.
  void close();

  bool is_open() const noexcept { return device_ != nullptr; }
  /// Whether an open device brings no more blocks.
  bool is_lost() const noexcept;

  std::uint64_t blocks() const noexcept { return device_ ? device_->blocks() : 0; }
  /// Of the newest block; 0 while closed, as what follows.
  std::size_t block_frames() const noexcept { return device_ ? device_->block_frames() : 0; }
  double input_latency_seconds() const noexcept {
    return device_ ? device_->input_latency_seconds() : 0;
  }
  double output_latency_seconds() const noexcept {
    return device_ ? device_->output_latency_seconds() : 0;
  }

 private:
  double patience_seconds() const noexcept;

  AudioProcessor& player_;
  AudioStreamConfig stream_;
  std::unique_ptr<PortaudioDevice> device_;
};

}  // namespace firbank::program
