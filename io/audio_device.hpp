// Sound cards as a program chooses among them: what a device is, and which one a name means.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace firbank {

/// Latencies are what the device says of itself, in seconds; some say nonsense.
struct AudioDevice {
  std::size_t number = 0;  // place in the list; it may change when something is plugged in
  std::string host_api;    // "ALSA", "JACK Audio Connection Kit"
  std::string name;
  std::size_t input_channels = 0;  // at most
  std::size_t output_channels = 0;
  double default_rate_hz = 0;
  double low_input_latency_seconds = 0;
  double low_output_latency_seconds = 0;
  double high_input_latency_seconds = 0;
  double high_output_latency_seconds = 0;
  bool is_default_input = false;
  bool is_default_output = false;

  /// "ALSA: HDA Intel PCH", which means this device alone, as far as names tell devices apart.
  std::string full_name() const { return host_api + ": " + name; }
};

enum class AudioDirection { kInput, kOutput };

/// The device that `name` means: its number, its full name, its name, or a part of these, in
/// capital letters or small, that no other device has which goes this way. An empty name means the
/// default device.
/// Throws: Error (kConfiguration) when there is none of that name, with the nearest one, or more
/// than one, or it has no channels this way; Error (kInput) when there is no device at all that
/// goes this way.
const AudioDevice& choose_audio_device(const std::vector<AudioDevice>& devices,
                                       const std::string& name, AudioDirection direction);

}  // namespace firbank
