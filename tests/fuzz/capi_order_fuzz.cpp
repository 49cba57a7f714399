// The calls of the C API in any order: what each may return follows from those before it, and what
// readers are told is contiguous but for the gaps that they are told of.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "capi/firbank.h"
#include "tests/fuzz/fuzz_target.hpp"

using firbank::fuzz::require;

namespace {

constexpr std::size_t kChannels = 3;
constexpr std::size_t kBlock = 16;
constexpr std::size_t kReaders = 2;

/// Takes what a call is told from the input; zeros behind its end.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  bool is_over() const { return left_ == 0; }
  unsigned next() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

/// One handle, and what must be true of it.
class Player {
 public:
  explicit Player(const Choices& choices) : choices_(choices), engine_(firbank_new()) {
    require(engine_ != nullptr, "there is memory for a handle");
  }
  ~Player() { firbank_free(engine_); }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  void play() {
    for (int calls = 0; calls < 200 && !choices_.is_over(); ++calls) {
      switch (choices_.next() % 14) {
        case 0:
          open();
          break;
        case 1:
          process();
          break;
        case 2:
          expect(firbank_reset(engine_), is_open_ && !is_running_, "reset");
          break;
        case 3:
          flush();
          break;
        case 4:
          start();
          break;
        case 5:
          stop();
          break;
        case 6:
          push();
          break;
        case 7:
          end();
          break;
        case 8:
          open_reader();
          break;
        case 9:
          close_reader();
          break;
        case 10:
          pull();
          break;
        case 11:
          swap();
          break;
        case 12:
          bad_channel();
          break;
        default:
          ask();
      }
    }
  }

 private:
  struct Place {
    firbank_reader* reader = nullptr;
    bool has_begun = false;
    std::int64_t expected_frame = 0;
  };

  static void expect(firbank_status status, bool is_allowed, const char* call) {
    require(status == (is_allowed ? FIRBANK_OK : FIRBANK_WRONG_STATE), call);
  }

  void open() {
    firbank_config config;
    firbank_config_init(&config, sizeof config);
    config.channels = kChannels;
    config.block_frames = kBlock;
    config.ring_blocks = 3;
    config.max_readers = kReaders + 1;
    config.precision = static_cast<firbank_precision>(choices_.next() % 2);
    config.gap_policy = static_cast<firbank_gap_policy>(choices_.next() % 4);
    config.transient = static_cast<firbank_transient>(choices_.next() % 3);
    config.max_fill_frames = 100;
    config.max_taps = 40;
    config.backend = "cpu-scalar";  // the same everywhere
    const std::vector<double> taps(1 + choices_.next() % 40, 0.125);
    const double* const all[] = {taps.data()};
    const size_t lengths[] = {taps.size()};
    const firbank_filters filters{1, all, lengths, nullptr};
    expect(firbank_open(engine_, &config, &filters), !is_open_, "open");
    if (!is_open_) require(firbank_inputs(engine_) == kChannels, "an open handle has inputs");
    is_open_ = true;
  }

  void process() {
    const std::size_t frames = choices_.next() % (2 * kBlock);
    const firbank_status status = firbank_process(engine_, in(), out_.data(), frames);
    if (is_open_ && !is_running_ && frames > kBlock) {
      require(status == FIRBANK_TOO_MANY_FRAMES, "a call is too long");
    } else {
      expect(status, is_open_ && !is_running_, "process");
    }
  }

  void flush() {
    size_t written = 99;
    const firbank_status status = firbank_flush(engine_, out_.data(), kBlock, &written);
    expect(status, is_open_ && !is_running_, "flush");
    require(written <= kBlock, "no more is flushed than there is room for");
  }

  void start() {
    expect(firbank_start(engine_), is_open_ && !is_running_, "start");
    if (!is_open_ || is_running_) return;
    is_running_ = true;
    has_pushed_ = false;
    has_ended_ = false;
    // Readers of an earlier run find its end.
  }

  void stop() {
    expect(firbank_stop(engine_), is_running_, "stop");
    is_running_ = false;
  }

  void push() {
    const std::size_t frames = choices_.next() % 64;
    std::int64_t first = expected_frame_;
    switch (choices_.next() % 8) {
      case 0:
        first += choices_.next();  // a gap, or none
        break;
      case 1:
        first -= 1 + choices_.next();
        break;
      case 2:
        first = std::numeric_limits<std::int64_t>::max() - choices_.next();
        break;
      default:
        break;
    }
    firbank_pushed pushed;
    const firbank_status status = firbank_push(engine_, in(), frames, first, 0, &pushed);
    require(pushed.frames <= frames, "no more is taken than was offered");
    if (!is_running_ || has_ended_) {
      require(status == FIRBANK_WRONG_STATE && pushed.frames == 0, "push");
      return;
    }
    if (has_pushed_ && first < expected_frame_) {
      require(status == FIRBANK_BACKWARD_JUMP && pushed.frames == 0, "a backward jump");
      require(pushed.expected_frame == expected_frame_, "the expected frame is told");
      return;
    }
    if (first > std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(frames)) {
      require(status == FIRBANK_OUT_OF_RANGE && pushed.frames == 0, "beyond the last index");
      return;
    }
    require(status == FIRBANK_OK || status == FIRBANK_OUT_OF_RANGE, "push while it runs");
    if (pushed.frames == 0) return;
    has_pushed_ = true;
    expected_frame_ = first + static_cast<std::int64_t>(pushed.frames);
    require(pushed.expected_frame == expected_frame_, "the next frame is told");
  }

  void end() {
    const firbank_status status = firbank_end(engine_);
    require((status == FIRBANK_WRONG_STATE) == !is_running_, "end while it does not run");
    require(is_running_ ? status == FIRBANK_OK || status == FIRBANK_RING_FULL : true, "end");
    if (status == FIRBANK_OK) has_ended_ = true;
  }

  void open_reader() {
    const unsigned which = choices_.next();
    Place& place = places_[which % kReaders];
    if (place.reader != nullptr) return;
    place = {};
    place.reader = firbank_open_reader(engine_, static_cast<firbank_policy>(which / kReaders % 2));
    require((place.reader != nullptr) == is_running_, "a reader needs a run");
  }

  void close_reader() {
    Place& place = places_[choices_.next() % kReaders];
    firbank_close_reader(place.reader);
    place = {};
  }

  void pull() {
    Place& place = places_[choices_.next() % kReaders];
    const std::size_t frames = 1 + choices_.next() % kBlock;
    if (choices_.next() % 2 == 0) firbank_wait(place.reader, 200'000);
    firbank_block block;
    const firbank_status status = firbank_pull(place.reader, out_.data(), frames, &block);
    if (place.reader == nullptr) {
      require(status == FIRBANK_BAD_ARGUMENT, "a null reader");
      return;
    }
    require(status == FIRBANK_OK, "pull");
    require(block.frames <= frames, "no more is pulled than there is room for");
    if (block.frames == 0) return;
    if (place.has_begun) {
      require(block.first_frame == place.expected_frame + block.gap_before,
              "frames follow each other but for the gap");
    }
    place.has_begun = true;
    place.expected_frame = block.first_frame + static_cast<std::int64_t>(block.frames);
  }

  void swap() {
    const std::vector<double> taps(1 + choices_.next() % 50, 0.25);
    const double* const all[] = {taps.data()};
    const size_t lengths[] = {taps.size()};
    const firbank_filters filters{1, all, lengths, nullptr};
    uint64_t ticket = 0;
    const firbank_status status = firbank_swap(engine_, &filters, expected_frame_ + choices_.next(),
                                               choices_.next() % 32, &ticket);
    if (!is_open_) require(status == FIRBANK_WRONG_STATE, "a swap of nothing");
    // Too long a filter, or too many that wait.
    if (is_open_) require(status == FIRBANK_OK || status == FIRBANK_BAD_CONFIG, "swap");
    if (taps.size() > 40) require(status != FIRBANK_OK, "a filter beyond max_taps");
    std::int64_t frame = 0;
    firbank_live_frame(engine_, ticket, &frame);
  }

  void bad_channel() {
    const unsigned channel = choices_.next() % (kChannels + 1);
    const firbank_status status = firbank_set_bad_channel(engine_, channel, choices_.next() % 2);
    if (is_open_ && channel == kChannels) {
      require(status == FIRBANK_BAD_ARGUMENT, "a channel that is none");
    } else {
      expect(status, is_open_, "bad channel");
    }
  }

  void ask() {
    firbank_stats stats;
    stats.struct_size = sizeof(stats);
    expect(firbank_get_stats(engine_, &stats), is_open_, "stats");
    double frames = 0;
    int is_constant = 0;
    const firbank_status status =
        firbank_group_delay(engine_, choices_.next() % 4, &frames, &is_constant);
    if (!is_open_) require(status == FIRBANK_WRONG_STATE, "the delay of nothing");
    require(std::strchr(firbank_message(engine_), '\n') == nullptr, "messages are one line");
  }

  const std::int16_t* in() {
    for (std::int16_t& sample : in_) sample = static_cast<std::int16_t>(choices_.next() * 100);
    return in_;
  }

  Choices choices_;
  firbank_engine* engine_;
  bool is_open_ = false;
  bool is_running_ = false;
  bool has_pushed_ = false;
  bool has_ended_ = false;
  std::int64_t expected_frame_ = 0;
  Place places_[kReaders];
  std::int16_t in_[kChannels * 64] = {};
  std::vector<float> out_ = std::vector<float>(kChannels * 64);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Player player(Choices(data, size));
  player.play();
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  std::string whole;
  const auto add = [&whole](std::initializer_list<int> bytes) {
    for (const int byte : bytes) whole += static_cast<char>(byte);
  };
  const std::string noise(kChannels * 64, 'x');
  add({0, 0, 0, 0, 20});  // open
  add({4, 8, 0, 8, 3});   // start, two readers
  add({6, 40, 3});        // push
  whole += noise;
  add({10, 0, 15, 0, 10, 1, 9, 0, 11, 10, 5, 7, 6, 30, 0, 50});
  whole += noise;
  add({10, 0, 15, 0, 13, 1, 7, 10, 0, 15, 0, 5, 1, 10});
  std::string called;
  for (const int call : {0, 0, 1, 2, 30, 1, 16}) called += static_cast<char>(call);
  return {whole, called + noise + "\x02\x03\x03", "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"};
}
