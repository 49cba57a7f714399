// A player and recorder that other programs see as a sound card: a JACK client whose outputs play
// WAV files and whose inputs are recorded, frame by frame in step.
//
//   jack_player NAME RECORDING.wav TAIL_SECONDS INPUT...
//
// Each input file brings its channels, in order; there are as many inputs as outputs. It waits
// until somebody has connected all ports, then plays, and ends TAIL_SECONDS after the files. Frame
// n of the recording was heard in the period in which frame n was played. Prints one line: "period
// 64, rate 48000, frames 96000, xruns 0". Exit code 1 with a line that says why not.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <jack/jack.h>

#include "io/files.hpp"

namespace {

using firbank::read_all;
using Milliseconds = std::chrono::milliseconds;

class Player {
 public:
  Player(const char* name, const std::vector<std::string>& files, double tail_seconds) {
    jack_set_error_function([](const char*) {});
    jack_set_info_function([](const char*) {});
    jack_status_t status{};
    client_ = jack_client_open(name, JackNoStartServer, &status);
    if (client_ == nullptr) throw std::runtime_error("no JACK server answers");
    for (const std::string& file : files) {
      const auto source = firbank::open_source(file);
      if (source->format().sample_rate_hz != jack_get_sample_rate(client_)) {
        throw std::runtime_error(file + " has another rate than the server");
      }
      for (const auto& channel : read_all(*source)) {
        played_.emplace_back(channel.begin(), channel.end());
      }
    }
    std::size_t longest = 0;
    for (const auto& channel : played_) longest = std::max(longest, channel.size());
    frames_ = longest + static_cast<std::size_t>(tail_seconds * jack_get_sample_rate(client_));
    for (std::size_t c = 0; c < played_.size(); ++c) {
      played_[c].resize(frames_);
      recorded_.emplace_back(frames_);
      inputs_.push_back(add_port("in_", c, JackPortIsInput));
      outputs_.push_back(add_port("out_", c, JackPortIsOutput));
    }
    jack_set_process_callback(
        client_, [](jack_nframes_t frames, void* self) { return on_period(frames, self); }, this);
    jack_set_xrun_callback(
        client_,
        [](void* self) {
          ++static_cast<Player*>(self)->xruns_;
          return 0;
        },
        this);
    jack_on_shutdown(
        client_, [](void* self) { static_cast<Player*>(self)->lost_ = true; }, this);
    if (jack_activate(client_) != 0) throw std::runtime_error("JACK does not take the client");
  }
  ~Player() {
    if (!lost_) jack_client_close(client_);
  }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  void play() {
    for (int waited = 0; !all_connected(); ++waited) {
      if (waited > 1'500) throw std::runtime_error("nobody connected the ports within 30 s");
      wait();
    }
    // Whoever connected them may still fade in.
    std::this_thread::sleep_for(Milliseconds(700));
    const int before = xruns_;
    playing_ = true;
    while (!done_) wait();
    std::printf("period %u, rate %u, frames %zu, xruns %d\n", jack_get_buffer_size(client_),
                jack_get_sample_rate(client_), frames_, xruns_ - before);
  }

  void save(const char* path) const {
    firbank::StreamFormat format;
    format.channels = recorded_.size();
    format.sample_rate_hz = jack_get_sample_rate(client_);
    const auto sink = firbank::create_sink(path, format);
    std::vector<const float*> planes;
    for (const auto& channel : recorded_) planes.push_back(channel.data());
    firbank::BasicBlock<const float> block;
    block.planes = planes.data();
    block.channels = planes.size();
    block.frames = frames_;
    sink->write(block);
    sink->finish();
  }

 private:
  jack_port_t* add_port(const char* prefix, std::size_t channel, unsigned long flags) {
    const std::string name = prefix + std::to_string(channel + 1);
    return jack_port_register(client_, name.c_str(), JACK_DEFAULT_AUDIO_TYPE, flags, 0);
  }

  bool all_connected() const {
    for (std::size_t c = 0; c < inputs_.size(); ++c) {
      if (jack_port_connected(inputs_[c]) == 0 || jack_port_connected(outputs_[c]) == 0) {
        return false;
      }
    }
    return true;
  }

  void wait() const {
    if (lost_) throw std::runtime_error("the JACK server has gone");
    std::this_thread::sleep_for(Milliseconds(20));
  }

  static int on_period(jack_nframes_t frames, void* self) {
    static_cast<Player*>(self)->process(frames);
    return 0;
  }

  void process(jack_nframes_t frames) {
    const bool playing = playing_ && !done_;
    for (std::size_t c = 0; c < played_.size(); ++c) {
      const auto* in = static_cast<const float*>(jack_port_get_buffer(inputs_[c], frames));
      auto* out = static_cast<float*>(jack_port_get_buffer(outputs_[c], frames));
      for (jack_nframes_t n = 0; n < frames; ++n) {
        const std::size_t at = position_ + n;
        const bool inside = playing && at < frames_;
        out[n] = inside ? played_[c][at] : 0.0f;
        if (inside) recorded_[c][at] = in[n];
      }
    }
    if (!playing) return;
    position_ += frames;
    if (position_ >= frames_) done_ = true;
  }

  jack_client_t* client_ = nullptr;
  std::vector<jack_port_t*> inputs_;
  std::vector<jack_port_t*> outputs_;
  std::vector<std::vector<float>> played_;
  std::vector<std::vector<float>> recorded_;
  std::size_t frames_ = 0;
  std::size_t position_ = 0;
  std::atomic<int> xruns_{0};
  std::atomic<bool> playing_{false};
  std::atomic<bool> done_{false};
  std::atomic<bool> lost_{false};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: jack_player NAME RECORDING.wav TAIL_SECONDS INPUT...\n");
    return 1;
  }
  try {
    Player player(argv[1], std::vector<std::string>(argv + 4, argv + argc), std::atof(argv[3]));
    player.play();
    player.save(argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jack_player: %s\n", error.what());
    return 1;
  }
}
