#include "io/portaudio_device.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <portaudio.h>
#include <pthread.h>

#include "io/error.hpp"
#include "io/portaudio_jack.hpp"
#include "io/portaudio_noise.hpp"

namespace firbank {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

std::string why(PaError error) {
  const PaHostErrorInfo* host = Pa_GetLastHostErrorInfo();
  if (error != paUnanticipatedHostError || host == nullptr || host->errorText == nullptr) {
    return Pa_GetErrorText(error);
  }
  return host->errorText;
}

/// PortAudio counts how often it was initialised, so that these may be nested.
class Library {
 public:
  Library() {
    silence_host_apis();
    const PaError error = Pa_Initialize();
    if (error != paNoError) {
      throw Error(ErrorKind::kInput, fmt::format("PortAudio cannot be started: {}", why(error)));
    }
    silence_host_apis();
  }
  ~Library() { Pa_Terminate(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

AudioDevice describe(PaDeviceIndex index) {
  const PaDeviceInfo* const info = Pa_GetDeviceInfo(index);
  const PaHostApiInfo* const host_api = Pa_GetHostApiInfo(info->hostApi);
  AudioDevice device;
  device.number = static_cast<std::size_t>(index);
  device.host_api = host_api == nullptr ? "" : host_api->name;
  device.name = info->name;
  device.input_channels = static_cast<std::size_t>(std::max(info->maxInputChannels, 0));
  device.output_channels = static_cast<std::size_t>(std::max(info->maxOutputChannels, 0));
  device.default_rate_hz = info->defaultSampleRate;
  device.low_input_latency_seconds = info->defaultLowInputLatency;
  device.low_output_latency_seconds = info->defaultLowOutputLatency;
  device.high_input_latency_seconds = info->defaultHighInputLatency;
  device.high_output_latency_seconds = info->defaultHighOutputLatency;
  device.is_default_input = index == Pa_GetDefaultInputDevice();
  device.is_default_output = index == Pa_GetDefaultOutputDevice();
  return device;
}

std::vector<AudioDevice> all_devices() {
  std::vector<AudioDevice> devices;
  const PaDeviceIndex count = std::max(Pa_GetDeviceCount(), 0);
  devices.reserve(static_cast<std::size_t>(count));
  for (PaDeviceIndex index = 0; index < count; ++index) devices.push_back(describe(index));
  return devices;
}

/// The map that is meant, complete.
std::vector<std::size_t> complete_map(const std::vector<std::size_t>& map, std::size_t channels,
                                      const AudioDevice& device, AudioDirection direction) {
  const bool is_input = direction == AudioDirection::kInput;
  const char* const way = is_input ? "input" : "output";
  const std::size_t most = is_input ? device.input_channels : device.output_channels;
  if (channels < 1 || channels > most) {
    throw Error(ErrorKind::kConfiguration, fmt::format("{} channels is {}; '{}' has 1 to {}", way,
                                                       channels, device.full_name(), most));
  }
  if (!map.empty() && map.size() != channels) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("the {} map names {} channels; allowed: as many as the stream has, {}",
                            way, map.size(), channels));
  }
  std::vector<std::size_t> complete = map;
  for (std::size_t c = map.size(); c < channels; ++c) complete.push_back(c);
  for (std::size_t c = 0; c < channels; ++c) {
    if (complete[c] >= most) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("the {} map names channel {}; '{}' has 1 to {}", way, complete[c] + 1,
                              device.full_name(), most));
    }
    if (!is_input && std::count(complete.begin(), complete.end(), complete[c]) > 1) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("the output map names channel {} more than once", complete[c] + 1));
    }
  }
  return complete;
}

/// The usual rates at which the devices can run together.
std::vector<double> possible_rates(const PaStreamParameters& in, const PaStreamParameters& out) {
  std::vector<double> rates;
  for (const double rate : {8'000.0, 16'000.0, 22'050.0, 32'000.0, 44'100.0, 48'000.0, 88'200.0,
                            96'000.0, 176'400.0, 192'000.0}) {
    if (Pa_IsFormatSupported(&in, &out, rate) == paFormatIsSupported) rates.push_back(rate);
  }
  return rates;
}

/// PortAudio leaves ALSA's callbacks at the priority of everything else. Where the system does not
/// allow more, it stays so.
void raise_priority() noexcept {
  int policy = 0;
  sched_param parameters{};
  if (pthread_getschedparam(pthread_self(), &policy, &parameters) != 0) return;
  if (policy != SCHED_OTHER) return;
  constexpr int kPriority = 60;  // below JACK's and the kernel's own threads
  parameters.sched_priority = kPriority;
  pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class PortaudioDevice::Impl {
 public:
  Impl(const AudioStreamConfig& config, AudioProcessor& processor) : processor_(processor) {
    const std::vector<AudioDevice> devices = all_devices();
    input_ = choose_audio_device(devices, config.input_device, AudioDirection::kInput);
    output_ = choose_audio_device(devices, config.output_device, AudioDirection::kOutput);
    if (input_.host_api != output_.host_api) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("'{}' and '{}' are of two kinds; both devices of one are needed",
                              input_.full_name(), output_.full_name()));
    }
    input_map_ =
        complete_map(config.input_map, config.input_channels, input_, AudioDirection::kInput);
    output_map_ =
        complete_map(config.output_map, config.output_channels, output_, AudioDirection::kOutput);
    in_.resize(input_map_.size());
    out_.resize(output_map_.size());
    device_outputs_ = *std::max_element(output_map_.begin(), output_map_.end()) + 1;
    open(config);
  }

  ~Impl() {
    stop();
    if (stream_ != nullptr) Pa_CloseStream(stream_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start() {
    last_seen_ns_ = now_ns();
    last_seen_blocks_ = blocks();
    const PaError error = Pa_StartStream(stream_);
    if (error != paNoError) {
      throw Error(ErrorKind::kInput,
                  fmt::format("'{}' cannot be started: {}", output_.full_name(), why(error)));
    }
    started_ = true;
  }

  void stop() noexcept {
    if (!started_) return;
    const LostJackReminder reminder;
    // Abort, as a lost device would let Stop wait for its buffers.
    Pa_AbortStream(stream_);
    started_ = false;
  }

  bool is_lost(double patience_seconds) noexcept {
    if (!started_) return false;
    if (Pa_IsStreamActive(stream_) != 1) return true;
    const std::uint64_t seen = blocks();
    const std::int64_t now = now_ns();
    if (seen != last_seen_blocks_) {
      last_seen_blocks_ = seen;
      last_seen_ns_ = now;
    }
    return 1e-9 * static_cast<double>(now - last_seen_ns_) > patience_seconds;
  }

  const AudioDevice& input() const noexcept { return input_; }
  const AudioDevice& output() const noexcept { return output_; }
  const PaStreamInfo* info() const noexcept { return Pa_GetStreamInfo(stream_); }
  std::uint64_t blocks() const noexcept { return blocks_.load(kRelaxed); }
  std::size_t block_frames() const noexcept { return block_frames_.load(kRelaxed); }

 private:
  void open(const AudioStreamConfig& config) {
    const auto parameters = [&](const AudioDevice& device, std::size_t channels, double low) {
      PaStreamParameters result{};
      result.device = static_cast<PaDeviceIndex>(device.number);
      result.channelCount = static_cast<int>(channels);
      result.sampleFormat = paFloat32 | paNonInterleaved;
      result.suggestedLatency = config.latency_seconds > 0 ? config.latency_seconds : low;
      return result;
    };
    const std::size_t device_inputs = *std::max_element(input_map_.begin(), input_map_.end()) + 1;
    const PaStreamParameters in =
        parameters(input_, device_inputs, input_.low_input_latency_seconds);
    const PaStreamParameters out =
        parameters(output_, device_outputs_, output_.low_output_latency_seconds);
    const unsigned long frames =
        config.block_frames == 0 ? paFramesPerBufferUnspecified : config.block_frames;
    const PaError error = Pa_OpenStream(&stream_, &in, &out, config.sample_rate_hz, frames,
                                        paClipOff | paDitherOff, &Impl::on_block, this);
    if (error == paNoError) return;
    stream_ = nullptr;
    if (error == paInvalidSampleRate) {
      const std::vector<double> rates = possible_rates(in, out);
      throw Error(
          ErrorKind::kConfiguration,
          fmt::format("'{}' does not run at {} Hz{}", output_.full_name(), config.sample_rate_hz,
                      rates.empty() ? std::string()
                                    : fmt::format("; it does at {}", fmt::join(rates, ", "))));
    }
    throw Error(ErrorKind::kInput,
                input_.number == output_.number
                    ? fmt::format("'{}' cannot be opened: {}", output_.full_name(), why(error))
                    : fmt::format("'{}' and '{}' cannot be opened together: {}", input_.full_name(),
                                  output_.full_name(), why(error)));
  }

  static int on_block(const void* input, void* output, unsigned long frames,
                      const PaStreamCallbackTimeInfo* /*times*/, PaStreamCallbackFlags flags,
                      void* self) noexcept {
    static_cast<Impl*>(self)->process(static_cast<const float* const*>(input),
                                      static_cast<float* const*>(output), frames, flags);
    return paContinue;
  }

  void process(const float* const* in, float* const* out, std::size_t frames,
               PaStreamCallbackFlags flags) noexcept {
    if (blocks() == 0) raise_priority();
    for (std::size_t c = 0; c < device_outputs_; ++c) std::fill_n(out[c], frames, 0.0f);
    if (in != nullptr) {
      for (std::size_t c = 0; c < in_.size(); ++c) in_[c] = in[input_map_[c]];
      for (std::size_t c = 0; c < out_.size(); ++c) out_[c] = out[output_map_[c]];
      AudioGlitches glitches;
      glitches.input_overflow = (flags & paInputOverflow) != 0;
      glitches.input_underflow = (flags & paInputUnderflow) != 0;
      glitches.output_underflow = (flags & paOutputUnderflow) != 0;
      glitches.output_overflow = (flags & paOutputOverflow) != 0;
      processor_.process(in_.data(), out_.data(), frames, glitches);
    }
    block_frames_.store(frames, kRelaxed);
    blocks_.store(blocks() + 1, kRelaxed);
  }

  Library library_;
  AudioProcessor& processor_;
  AudioDevice input_;
  AudioDevice output_;
  std::vector<std::size_t> input_map_;
  std::vector<std::size_t> output_map_;
  std::size_t device_outputs_ = 0;  // channels that the device is opened with
  std::vector<const float*> in_;
  std::vector<float*> out_;
  PaStream* stream_ = nullptr;
  bool started_ = false;
  std::uint64_t last_seen_blocks_ = 0;
  std::int64_t last_seen_ns_ = 0;
  std::atomic<std::uint64_t> blocks_{0};
  std::atomic<std::size_t> block_frames_{0};
};

std::vector<AudioDevice> list_audio_devices() {
  const Library library;
  return all_devices();
}

PortaudioDevice::PortaudioDevice(const AudioStreamConfig& config, AudioProcessor& processor)
    : impl_(std::make_unique<Impl>(config, processor)) {}
PortaudioDevice::~PortaudioDevice() = default;

void PortaudioDevice::start() {
  impl_->start();
}
void PortaudioDevice::stop() noexcept {
  impl_->stop();
}
bool PortaudioDevice::is_lost(double patience_seconds) noexcept {
  return impl_->is_lost(patience_seconds);
}
const AudioDevice& PortaudioDevice::input() const noexcept {
  return impl_->input();
}
const AudioDevice& PortaudioDevice::output() const noexcept {
  return impl_->output();
}
double PortaudioDevice::input_latency_seconds() const noexcept {
  const PaStreamInfo* const info = impl_->info();
  return info == nullptr ? 0 : info->inputLatency;
}
double PortaudioDevice::output_latency_seconds() const noexcept {
  const PaStreamInfo* const info = impl_->info();
  return info == nullptr ? 0 : info->outputLatency;
}
std::uint64_t PortaudioDevice::blocks() const noexcept {
  return impl_->blocks();
}
std::size_t PortaudioDevice::block_frames() const noexcept {
  return impl_->block_frames();
}

}  // namespace firbank
