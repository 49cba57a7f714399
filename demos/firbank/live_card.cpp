#include "demos/firbank/live_card.hpp"

#include <algorithm>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/quiet_stderr.hpp"

namespace firbank::program {

LiveCard::LiveCard(const LiveSettings& settings, const LiveDevices& devices, std::size_t inputs,
                   std::size_t outputs, AudioProcessor& player)
    : player_(player) {
  stream_.input_device = devices.input.full_name();
  stream_.output_device = devices.output.full_name();
  stream_.input_channels = inputs;
  stream_.output_channels = outputs;
  stream_.input_map = settings.input_map;
  stream_.output_map = settings.output_map;
  stream_.sample_rate_hz = devices.rate_hz;
  stream_.block_frames = settings.device_block_frames;
  stream_.latency_seconds = settings.latency_seconds;
}

void LiveCard::prepare() {
  const QuietStderr quiet;
  const SignalsForMainThread guard;
  device_ = std::make_unique<PortaudioDevice>(stream_, player_);
}

void LiveCard::start() {
  const QuietStderr quiet;
  const SignalsForMainThread guard;
  try {
    device_->start();
  } catch (...) {
    device_.reset();
    throw;
  }
}

void LiveCard::close() {
  const QuietStderr quiet;
  device_.reset();
}

bool LiveCard::is_lost() const noexcept {
  return device_ && device_->is_lost(patience_seconds());
}

/// Without a block, until the device counts as lost; some bring few, and long ones.
double LiveCard::patience_seconds() const noexcept {
  constexpr double kLeastSeconds = 1.5;
  const std::size_t frames = std::max(device_->block_frames(), stream_.block_frames);
  return kLeastSeconds + 4 * static_cast<double>(frames) / stream_.sample_rate_hz;
}

}  // namespace firbank::program
