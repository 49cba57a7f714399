// A cable that other programs see as a sound card: a JACK client whose output is its input, so many
// frames later and with a gain.
//
//   jack_loop NAME DELAY_FRAMES [GAIN [CLAIMED_FRAMES]]
//
// It runs until SIGTERM, or until the server has gone. A gain of 0 is a cable that is not plugged
// in. CLAIMED_FRAMES are told as the latency of either way, as a card tells of its own, true or
// not. Exit code 1 with a line that says why not.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <thread>
#include <vector>

#include <jack/jack.h>

namespace {

std::atomic<bool> ended{false};

class Loop {
 public:
  Loop(const char* name, std::size_t delay_frames, float gain, jack_nframes_t claimed_frames)
      : delayed_(delay_frames), gain_(gain), claimed_{claimed_frames, claimed_frames} {
    jack_set_error_function([](const char*) {});
    jack_set_info_function([](const char*) {});
    jack_status_t status{};
    client_ = jack_client_open(name, JackNoStartServer, &status);
    if (client_ == nullptr) throw std::runtime_error("no JACK server answers");
    // Physical, as a card's: of others PortAudio does not see what latency they tell of.
    input_ = jack_port_register(client_, "in_1", JACK_DEFAULT_AUDIO_TYPE,
                                JackPortIsInput | JackPortIsPhysical, 0);
    output_ = jack_port_register(client_, "out_1", JACK_DEFAULT_AUDIO_TYPE,
                                 JackPortIsOutput | JackPortIsPhysical, 0);
    jack_set_process_callback(
        client_,
        [](jack_nframes_t frames, void* self) {
          static_cast<Loop*>(self)->process(frames);
          return 0;
        },
        this);
    jack_set_latency_callback(
        client_,
        [](jack_latency_callback_mode_t mode, void* self) {
          static_cast<Loop*>(self)->claim(mode);
        },
        this);
    jack_on_shutdown(
        client_, [](void*) { ended = true; }, nullptr);
    if (jack_activate(client_) != 0) throw std::runtime_error("JACK does not take the client");
  }
  ~Loop() { jack_client_close(client_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

 private:
  void claim(jack_latency_callback_mode_t mode) {
    jack_port_set_latency_range(mode == JackCaptureLatency ? output_ : input_, mode, &claimed_);
  }

  void process(jack_nframes_t frames) {
    const auto* in = static_cast<const float*>(jack_port_get_buffer(input_, frames));
    auto* out = static_cast<float*>(jack_port_get_buffer(output_, frames));
    for (jack_nframes_t n = 0; n < frames; ++n) {
      float sample = in[n];
      if (!delayed_.empty()) {
        std::swap(sample, delayed_[at_]);
        at_ = (at_ + 1) % delayed_.size();
      }
      out[n] = gain_ * sample;
    }
  }

  jack_client_t* client_ = nullptr;
  jack_port_t* input_ = nullptr;
  jack_port_t* output_ = nullptr;
  std::vector<float> delayed_;  // a ring of the frames on their way
  std::size_t at_ = 0;
  float gain_;
  jack_latency_range_t claimed_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: jack_loop NAME DELAY_FRAMES [GAIN [CLAIMED_FRAMES]]\n");
    return 1;
  }
  std::signal(SIGTERM, [](int) { ended = true; });
  try {
    const Loop loop(argv[1], std::strtoul(argv[2], nullptr, 10),
                    argc > 3 ? std::strtof(argv[3], nullptr) : 1.0f,
                    argc > 4 ? static_cast<jack_nframes_t>(std::atoi(argv[4])) : 0);
    while (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jack_loop: %s\n", error.what());
    return 1;
  }
}
