#include "demos/firbank/live_devices.hpp"

#include <vector>

#include "demos/firbank/quiet_stderr.hpp"

namespace firbank::program {

LiveDevices choose_devices(const LiveSettings& settings) {
  const QuietStderr quiet;
  const std::vector<AudioDevice> all = list_audio_devices();
  LiveDevices devices;
  devices.input = choose_audio_device(all, settings.input_device, AudioDirection::kInput);
  devices.output = choose_audio_device(all, settings.output_device, AudioDirection::kOutput);
  devices.rate_hz = settings.rate_hz.value_or(devices.output.default_rate_hz);
  return devices;
}

}  // namespace firbank::program
