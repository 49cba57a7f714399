// portaudio_device.hpp in a build without PortAudio: every way in says so.
#include "io/error.hpp"
#include "io/portaudio_device.hpp"

namespace firbank {
namespace {

[[noreturn]] void refuse() {
  throw Error(ErrorKind::kConfiguration,
              "this firbank was built without PortAudio and has no sound cards; build it again "
              "where that is installed (Debian: portaudio19-dev)");
}

const AudioDevice kNoDevice;

}  // namespace

class PortaudioDevice::Impl {};

std::vector<AudioDevice> list_audio_devices() {
  refuse();
}

PortaudioDevice::PortaudioDevice(const AudioStreamConfig& /*config*/,
                                 AudioProcessor& /*processor*/) {
  refuse();
}
PortaudioDevice::~PortaudioDevice() = default;
void PortaudioDevice::start() {
  refuse();
}
// None is ever made, so that the rest is never called.
void PortaudioDevice::stop() noexcept {}
bool PortaudioDevice::is_lost(double /*patience_seconds*/) noexcept {
  return true;
}
const AudioDevice& PortaudioDevice::input() const noexcept {
  return kNoDevice;
}
const AudioDevice& PortaudioDevice::output() const noexcept {
  return kNoDevice;
}
double PortaudioDevice::input_latency_seconds() const noexcept {
  return 0;
}
double PortaudioDevice::output_latency_seconds() const noexcept {
  return 0;
}
std::uint64_t PortaudioDevice::blocks() const noexcept {
  return 0;
}
std::size_t PortaudioDevice::block_frames() const noexcept {
  return 0;
}

}  // namespace firbank
