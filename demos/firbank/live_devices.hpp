// LiveDevices: the devices that a live run's settings mean, and the rate of the stream.
#pragma once

#include "demos/firbank/live_settings.hpp"
#include "io/portaudio_device.hpp"

namespace firbank::program {

struct LiveDevices {
  AudioDevice input;
  AudioDevice output;
  double rate_hz = 0;
};

/// Throws: Error when there is none of that name.
LiveDevices choose_devices(const LiveSettings& settings);

}  // namespace firbank::program
