// The C API, through its header alone, against a direct convolution.
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capi/firbank.h"
#include "engine/reference.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Random;
using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

struct Free {
  void operator()(firbank_engine* engine) const { firbank_free(engine); }
};
using Handle = std::unique_ptr<firbank_engine, Free>;

/// A bank as C sees it.
class Filters {
 public:
  explicit Filters(const FilterBank& bank) {
    for (std::size_t k = 0; k < bank.size(); ++k) {
      taps_.push_back(bank.taps(k).data());
      lengths_.push_back(bank.taps(k).size());
    }
    filters_ = {bank.size(), taps_.data(), lengths_.data(), nullptr};
  }
  Filters(const Filters&) = delete;
  Filters& operator=(const Filters&) = delete;
  const firbank_filters* get() const { return &filters_; }

 private:
  std::vector<const double*> taps_;
  std::vector<size_t> lengths_;
  firbank_filters filters_{};
};

firbank_config config_of(std::size_t channels) {
  firbank_config config;
  firbank_config_init(&config, sizeof config);
  config.channels = channels;
  config.in.type = FIRBANK_FLOAT32;
  return config;
}

std::vector<float> interleaved(const Signal& signal) {
  std::vector<float> samples;
  for (std::size_t n = 0; n < signal[0].size(); ++n) {
    for (const std::vector<double>& channel : signal) {
      samples.push_back(static_cast<float>(channel[n]));
    }
  }
  return samples;
}

Signal planar(const std::vector<float>& samples, std::size_t channels) {
  Signal signal(channels);
  for (std::size_t k = 0; k < samples.size(); ++k) {
    signal[k % channels].push_back(static_cast<double>(samples[k]));
  }
  return signal;
}

TEST(CApi, TellsItsVersion) {
  const std::string header = std::to_string(FIRBANK_VERSION_MAJOR) + "." +
                             std::to_string(FIRBANK_VERSION_MINOR) + "." +
                             std::to_string(FIRBANK_VERSION_PATCH);
  EXPECT_EQ(firbank_version(), header);
}

TEST(CApi, ProcessesInTheCallersThread) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const FilterBank bank = test::random_bank(random, {test::between(random, 1, 300), 30, 70});
    const Routing routing = Routing::bank(2, 3);
    firbank_config config = config_of(2);
    config.routing = FIRBANK_BANK;
    config.block_frames = 100;
    config.precision = seed % 2 == 0 ? FIRBANK_SINGLE : FIRBANK_DOUBLE;
    Handle engine(firbank_new());
    const Filters filters(bank);
    ASSERT_EQ(firbank_open(engine.get(), &config, filters.get()), FIRBANK_OK)
        << firbank_message(engine.get());
    EXPECT_EQ(firbank_inputs(engine.get()), 2u);
    EXPECT_EQ(firbank_outputs(engine.get()), 6u);
    EXPECT_EQ(firbank_max_frames(engine.get()), 100u);
    EXPECT_EQ(firbank_latency_frames(engine.get()), 0u);
    EXPECT_EQ(firbank_tail_frames(engine.get()), bank.longest() - 1);
    EXPECT_THAT(firbank_backend(engine.get()), HasSubstr("cpu-"));
    const std::size_t frames = test::between(random, 1, 900);
    const Signal in = test::random_signal(random, 2, frames);
    const std::vector<float> samples = interleaved(in);
    const std::size_t all = frames + bank.longest() - 1;
    std::vector<float> out(6 * all);
    std::size_t done = 0;
    while (done < frames) {
      const std::size_t call = std::min(frames - done, test::between(random, 1, 100));
      ASSERT_EQ(
          firbank_process(engine.get(), samples.data() + 2 * done, out.data() + 6 * done, call),
          FIRBANK_OK);
      done += call;
    }
    for (size_t written = 1; written > 0; done += written) {
      // Never more than there is room for, were it to write too much.
      ASSERT_EQ(firbank_flush(engine.get(), out.data() + 6 * done, std::min<size_t>(70, all - done),
                              &written),
                FIRBANK_OK);
    }
    EXPECT_EQ(done, all);
    EXPECT_TRUE(test::follows(planar(out, 6), direct_convolution(in, bank, routing, all), 1e-6));
  }
}

// Packets of 16 bits, planar or not, in microvolts, out as 32 bits of nanovolts.
TEST(CApi, ConvertsToAndFromPhysicalUnits) {
  Random random(4);
  const FilterBank bank = test::random_bank(random, {40});
  for (const firbank_layout layout : {FIRBANK_INTERLEAVED, FIRBANK_PLANAR}) {
    firbank_config config = config_of(3);
    config.in = {FIRBANK_INT16, layout, 0.195, 0};
    config.out = {FIRBANK_INT32, layout, 1e-3, 0};
    Handle engine(firbank_new());
    ASSERT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK)
        << firbank_message(engine.get());
    constexpr std::size_t kFrames = 200;
    std::vector<std::int16_t> in(3 * kFrames);
    Signal volts(3, std::vector<double>(kFrames));
    const bool is_planar = layout == FIRBANK_PLANAR;
    const auto place = [&](std::size_t c, std::size_t n) {
      return is_planar ? c * kFrames + n : 3 * n + c;
    };
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t n = 0; n < kFrames; ++n) {
        const auto step = static_cast<std::int16_t>(static_cast<int>(random() % 2'000) - 1'000);
        in[place(c, n)] = step;
        volts[c][n] = step * 0.195;
      }
    }
    std::vector<std::int32_t> out(3 * kFrames);
    const void* const in_planes[] = {in.data(), in.data() + kFrames, in.data() + 2 * kFrames};
    void* out_planes[] = {out.data(), out.data() + kFrames, out.data() + 2 * kFrames};
    ASSERT_EQ(
        firbank_process(engine.get(), is_planar ? static_cast<const void*>(in_planes) : in.data(),
                        is_planar ? static_cast<void*>(out_planes) : out.data(), kFrames),
        FIRBANK_OK);
    Signal heard(3);
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t n = 0; n < kFrames; ++n) heard[c].push_back(out[place(c, n)] * 1e-3);
    }
    EXPECT_TRUE(
        test::follows(heard, direct_convolution(volts, bank, Routing::rows(3, 1), kFrames), 1e-5));
  }
}

class CApiStream : public testing::Test {
 protected:
  void open(firbank_config config) {
    engine_.reset(firbank_new());
    ASSERT_EQ(firbank_open(engine_.get(), &config, Filters(bank_).get()), FIRBANK_OK)
        << firbank_message(engine_.get());
    ASSERT_EQ(firbank_start(engine_.get()), FIRBANK_OK);
  }

  /// Pushes all of `in`, some of it a call.
  void push(const Signal& in, std::int64_t first_frame, std::int64_t timestamp_ns = 0) {
    const std::vector<float> samples = interleaved(in);
    const std::size_t frames = in[0].size();
    for (std::size_t done = 0; done < frames;) {
      firbank_pushed pushed;
      ASSERT_EQ(firbank_push(engine_.get(), samples.data() + in.size() * done,
                             std::min<std::size_t>(frames - done, 33),
                             first_frame + static_cast<std::int64_t>(done), timestamp_ns, &pushed),
                FIRBANK_OK);
      done += pushed.frames;
      timestamp_ns = 0;
      if (pushed.frames == 0) std::this_thread::yield();
    }
  }
  void end() {
    while (firbank_end(engine_.get()) != FIRBANK_OK) std::this_thread::yield();
  }

  struct Pulled {
    std::vector<float> out;
    std::vector<firbank_block> blocks;
    bool ended = false;
  };
  static void pull_to_end(firbank_reader* reader, std::size_t outputs, std::size_t call,
                          Pulled& pulled) {
    std::vector<float> buffer(outputs * call);
    while (!pulled.ended && firbank_wait(reader, 10 * kSecond) == 1) {
      firbank_block block;
      ASSERT_EQ(firbank_pull(reader, buffer.data(), call, &block), FIRBANK_OK);
      pulled.ended = (block.flags & FIRBANK_END) != 0;
      if (block.frames == 0) continue;
      pulled.blocks.push_back(block);
      pulled.out.insert(pulled.out.end(), buffer.begin(),
                        buffer.begin() + static_cast<std::ptrdiff_t>(outputs * block.frames));
    }
    EXPECT_TRUE(pulled.ended);
  }

  Random random_{11};
  FilterBank bank_ = test::random_bank(random_, {90, 33});
  Handle engine_;
};

TEST_F(CApiStream, SeveralReadersGetTheSameStream) {
  firbank_config config = config_of(2);
  config.block_frames = 50;
  config.ring_blocks = 4;
  open(config);
  Pulled pulled[3];
  std::vector<std::thread> threads;
  for (Pulled& one : pulled) {
    firbank_reader* const reader = firbank_open_reader(engine_.get(), FIRBANK_LOSSLESS);
    ASSERT_NE(reader, nullptr);
    threads.emplace_back([reader, &one] { pull_to_end(reader, 2, 41, one); });
  }
  const Signal in = test::random_signal(random_, 2, 3'000);
  push(in, 0);
  end();
  for (std::thread& thread : threads) thread.join();
  const Signal expected = direct_convolution(in, bank_, Routing::rows(2, 2), 3'000 + 89);
  for (const Pulled& one : pulled) {
    EXPECT_TRUE(test::follows(planar(one.out, 2), expected, 1e-6));
  }
  EXPECT_EQ(firbank_push(engine_.get(), "", 1, 0, 0, nullptr), FIRBANK_WRONG_STATE) << "ended";
}

TEST_F(CApiStream, KnowsWhereFramesWereLostAndWhenTheyCame) {
  firbank_config config = config_of(2);
  config.block_frames = 64;
  config.ring_blocks = 64;
  config.sample_rate_hz = 1'000;
  config.transient = FIRBANK_TRANSIENT_MARK;
  open(config);
  firbank_reader* const reader = firbank_open_reader(engine_.get(), FIRBANK_LOSSLESS);
  const Signal in = test::random_signal(random_, 2, 500);
  constexpr std::int64_t kFirst = 7'000'000'000;
  push(in, kFirst, kSecond);
  push(in, kFirst + 530);  // 30 are missing
  float sample[2] = {};
  firbank_pushed pushed;
  EXPECT_EQ(firbank_push(engine_.get(), sample, 1, kFirst + 1'020, 0, &pushed),
            FIRBANK_BACKWARD_JUMP);
  EXPECT_EQ(pushed.frames, 0u);
  EXPECT_EQ(pushed.expected_frame, kFirst + 1'030);
  EXPECT_EQ(firbank_push(engine_.get(), sample, 2, INT64_MAX - 1, 0, nullptr),
            FIRBANK_OUT_OF_RANGE);
  end();
  Pulled pulled;
  pull_to_end(reader, 2, 1'000, pulled);

  Signal whole = in;
  for (std::size_t c = 0; c < 2; ++c) {
    whole[c].resize(530);
    whole[c].insert(whole[c].end(), in[c].begin(), in[c].end());
  }
  EXPECT_TRUE(test::follows(planar(pulled.out, 2),
                            direct_convolution(whole, bank_, Routing::rows(2, 2), 1'030 + 89),
                            1e-6));
  std::int64_t expected = kFirst;
  std::size_t filled = 0;
  std::size_t transient = 0;
  for (const firbank_block& block : pulled.blocks) {
    EXPECT_EQ(block.first_frame, expected);
    EXPECT_EQ(block.gap_before, 0);
    expected += static_cast<std::int64_t>(block.frames);
    if ((block.flags & FIRBANK_FILLED) != 0) {
      EXPECT_EQ(block.first_frame, kFirst + 500);
      filled += block.frames;
    }
    if ((block.flags & FIRBANK_TRANSIENT) != 0) transient += block.frames;
  }
  EXPECT_EQ(filled, 30u);
  EXPECT_EQ(transient, 89u);
  EXPECT_EQ(pulled.blocks.front().timestamp_ns, kSecond);
  firbank_stats stats;
  stats.struct_size = sizeof(stats);
  ASSERT_EQ(firbank_get_stats(engine_.get(), &stats), FIRBANK_OK);
  EXPECT_EQ(stats.gaps, 1u);
  EXPECT_EQ(stats.gap_frames, 30);
  EXPECT_EQ(stats.first_gap_frame, kFirst + 500);
  EXPECT_EQ(stats.backward_jumps, 1u);
  EXPECT_EQ(stats.first_backward_frame, kFirst + 1'020);
  EXPECT_EQ(stats.frames, 1'030 + 89) << "the tail included";
  EXPECT_EQ(stats.first_spoiled_frame, FIRBANK_NO_FRAME);
}

// NaN for what never came: heard wherever a filter reaches into the gap, and nowhere else.
TEST_F(CApiStream, AGapMayBeMarkedByNaN) {
  firbank_config config = config_of(2);
  config.ring_blocks = 16;
  config.gap_policy = FIRBANK_GAP_NAN;
  open(config);
  firbank_reader* const reader = firbank_open_reader(engine_.get(), FIRBANK_LOSSLESS);
  const Signal in = test::random_signal(random_, 2, 400);
  push(in, 0);
  push(in, 405);
  end();
  Pulled pulled;
  pull_to_end(reader, 2, 1'000, pulled);
  Signal whole = in;
  for (std::size_t c = 0; c < 2; ++c) {
    whole[c].resize(405, NAN);
    whole[c].insert(whole[c].end(), in[c].begin(), in[c].end());
  }
  const Signal out = planar(pulled.out, 2);
  for (std::size_t c = 0; c < 2; ++c) {
    const std::size_t taps = bank_.taps(c).size();
    for (std::size_t n = 0; n < out[c].size(); ++n) {
      ASSERT_EQ(std::isnan(out[c][n]), n >= 400 && n < 404 + taps) << "output " << c << ", " << n;
    }
  }
}

TEST_F(CApiStream, ALossyReaderIsToldWhatItMissed) {
  firbank_config config = config_of(2);
  config.block_frames = 20;
  config.ring_blocks = 4;
  open(config);
  firbank_reader* const slow = firbank_open_reader(engine_.get(), FIRBANK_LOSSY);
  firbank_reader* const fast = firbank_open_reader(engine_.get(), FIRBANK_LOSSLESS);
  const Signal in = test::random_signal(random_, 2, 20);
  push(in, 0);
  std::vector<float> buffer(2'000);
  firbank_block block;
  ASSERT_EQ(firbank_wait(slow, 10 * kSecond), 1);
  ASSERT_EQ(firbank_pull(slow, buffer.data(), 20, &block), FIRBANK_OK);
  ASSERT_EQ(block.frames, 20u);
  Pulled pulled;
  std::thread reading([&] { pull_to_end(fast, 2, 50, pulled); });
  push(test::random_signal(random_, 2, 2'000), 20);
  end();
  reading.join();
  ASSERT_EQ(firbank_pull(slow, buffer.data(), 1'000, &block), FIRBANK_OK);
  EXPECT_NE(block.flags & FIRBANK_MISSED, 0u);
  EXPECT_GT(block.gap_before, 1'800);
  EXPECT_EQ(block.first_frame, 20 + block.gap_before);
  firbank_stats stats;
  stats.struct_size = sizeof(stats);
  firbank_get_stats(engine_.get(), &stats);
  EXPECT_EQ(stats.missed_frames, block.gap_before);
  EXPECT_EQ(stats.first_missed_frame, 20);
  EXPECT_EQ(stats.first_limited_frame, FIRBANK_NO_FRAME);
}

TEST_F(CApiStream, SwapsAtAFrameAndSilencesBadChannels) {
  firbank_config config = config_of(2);
  config.block_frames = 64;
  config.ring_blocks = 64;
  open(config);
  firbank_reader* const reader = firbank_open_reader(engine_.get(), FIRBANK_LOSSLESS);
  const FilterBank other = test::random_bank(random_, {50, 60});
  std::uint64_t ticket = 0;
  ASSERT_EQ(firbank_swap(engine_.get(), Filters(other).get(), 700, 40, &ticket), FIRBANK_OK)
      << firbank_message(engine_.get());
  std::int64_t frame = 0;
  EXPECT_EQ(firbank_live_frame(engine_.get(), ticket, &frame), 0);
  Signal in = test::random_signal(random_, 2, 1'500);
  in[1][10] = NAN;
  ASSERT_EQ(firbank_set_bad_channel(engine_.get(), 1, 1), FIRBANK_OK);
  push(in, 0);
  end();
  Pulled pulled;
  pull_to_end(reader, 2, 300, pulled);
  EXPECT_EQ(firbank_live_frame(engine_.get(), ticket, &frame), 1);
  EXPECT_EQ(frame, 700);
  std::fill(in[1].begin(), in[1].end(), 0.0);
  const Routing rows = Routing::rows(2, 2);
  const std::size_t all = pulled.out.size() / 2;
  Signal expected = test::with_changes(direct_convolution(in, bank_, rows, all),
                                       {{.wet = direct_convolution(in, other, rows, all),
                                         .live_frame = 700,
                                         .crossfade_frames = 40}});
  EXPECT_TRUE(test::follows(planar(pulled.out, 2), expected, 1e-6));
}

TEST(CApi, OpensConfigurationsAndTheirPresets) {
  const std::string text = R"(
[stream]
inputs = ["left", "right"]
outputs = ["main", "far"]
rate = 8000
[engine]
block = 32
precision = "double"
[[filter]]
name = "a"
taps = [1.0, 0.5]
[[filter]]
name = "b"
taps = [0.0, 0.0, 2.0]
[[preset]]
name = "first"
[[preset.edge]]
input = "left"
output = "main"
filter = "a"
[[preset]]
name = "second"
[[preset.edge]]
input = "right"
output = "main"
filter = "b"
)";
  Handle engine(firbank_new());
  firbank_config config = config_of(7);  // the text's count
  ASSERT_EQ(firbank_open_toml(engine.get(), &config, text.data(), text.size(), nullptr), FIRBANK_OK)
      << firbank_message(engine.get());
  EXPECT_EQ(firbank_inputs(engine.get()), 2u);
  EXPECT_STREQ(firbank_output_name(engine.get(), 1), "far");
  EXPECT_EQ(firbank_output_name(engine.get(), 2), nullptr);
  const float in[] = {1, 10, 0, 0, 0, 0};
  float out[6] = {};
  ASSERT_EQ(firbank_process(engine.get(), in, out, 3), FIRBANK_OK);
  EXPECT_THAT(out, testing::ElementsAre(1, 0, 0.5f, 0, 0, 0));
  ASSERT_EQ(firbank_swap_preset(engine.get(), "second", 3, 0, nullptr), FIRBANK_OK);
  const float silence[6] = {};
  ASSERT_EQ(firbank_reset(engine.get()), FIRBANK_OK);
  ASSERT_EQ(firbank_process(engine.get(), silence, out, 1), FIRBANK_OK);
  ASSERT_EQ(firbank_process(engine.get(), in, out, 3), FIRBANK_OK);
  EXPECT_THAT(out, testing::ElementsAre(0, 0, 0, 0, 20, 0)) << "the other preset";
  EXPECT_EQ(firbank_swap_preset(engine.get(), "third", 0, 0, nullptr), FIRBANK_BAD_CONFIG);
  EXPECT_THAT(firbank_message(engine.get()), HasSubstr("first"));

  Handle broken(firbank_new());
  const std::string wrong = "[stream]\ninputs = 1\noutputs = 1\n[engine]\nblock = -1\n";
  EXPECT_EQ(firbank_open_toml(broken.get(), nullptr, wrong.data(), wrong.size(), "/tmp"),
            FIRBANK_BAD_CONFIG);
  EXPECT_THAT(firbank_message(broken.get()), HasSubstr("line 5"));
}

TEST(CApi, NamesOutputsAndTellsTheirDelay) {
  const FilterBank bank({{1, 2, 1}, {1, 0.5}});
  const char* const names[] = {"tip", "base"};
  firbank_config config = config_of(2);
  config.channel_names = names;
  config.unit = "uV";
  Handle rows(firbank_new());
  ASSERT_EQ(firbank_open(rows.get(), &config, Filters(bank).get()), FIRBANK_OK);
  EXPECT_STREQ(firbank_output_name(rows.get(), 0), "tip");
  EXPECT_STREQ(firbank_unit(rows.get()), "uV");
  double frames = 0;
  int is_constant = -1;
  ASSERT_EQ(firbank_group_delay(rows.get(), 0, &frames, &is_constant), FIRBANK_OK);
  EXPECT_EQ(frames, 1);
  EXPECT_EQ(is_constant, 1);
  ASSERT_EQ(firbank_group_delay(rows.get(), 1, &frames, &is_constant), FIRBANK_OK);
  EXPECT_EQ(is_constant, 0);
  EXPECT_EQ(firbank_group_delay(rows.get(), 2, &frames, &is_constant), FIRBANK_BAD_ARGUMENT);
  config.routing = FIRBANK_MATRIX;
  config.outputs = 1;
  Handle matrix(firbank_new());
  ASSERT_EQ(firbank_open(matrix.get(), &config, Filters(bank).get()), FIRBANK_OK);
  EXPECT_STREQ(firbank_output_name(matrix.get(), 0), "tip+base");
  EXPECT_STREQ(firbank_input_name(matrix.get(), 1), "base");
  EXPECT_EQ(firbank_input_name(matrix.get(), 2), nullptr);
  config.routing = FIRBANK_BANK;
  Handle all(firbank_new());
  ASSERT_EQ(firbank_open(all.get(), &config, Filters(bank).get()), FIRBANK_OK);
  EXPECT_STRNE(firbank_output_name(all.get(), 0), firbank_output_name(all.get(), 1));
  const FilterBank four({{1.0}, {1.0}, {1.0}, {1.0}});
  config.routing = FIRBANK_MATRIX;
  config.outputs = 2;
  Handle square(firbank_new());
  ASSERT_EQ(firbank_open(square.get(), &config, Filters(four).get()), FIRBANK_OK);
  EXPECT_STREQ(firbank_output_name(square.get(), 0), "tip+base#1");
  EXPECT_STREQ(firbank_output_name(square.get(), 1), "tip+base#2");
}

struct BadConfig {
  const char* what;
  void (*spoil)(firbank_config&);
};

TEST(CApi, RefusesBadConfigurationsByName) {
  const BadConfig cases[] = {
      {"channels is 0", [](firbank_config& c) { c.channels = 0; }},
      {"channels is 18446744073709551615", [](firbank_config& c) { c.channels = SIZE_MAX; }},
      {"struct_size is 0", [](firbank_config& c) { c.struct_size = 0; }},
      {"struct_size is 9999", [](firbank_config& c) { c.struct_size = 9'999; }},
      {"in.type is 9", [](firbank_config& c) { c.in.type = static_cast<firbank_type>(9); }},
      {"out.layout is -1",
       [](firbank_config& c) { c.out.layout = static_cast<firbank_layout>(-1); }},
      {"in: scale is 0", [](firbank_config& c) { c.in.scale = 0; }},
      {"out: offset is nan", [](firbank_config& c) { c.out.offset = NAN; }},
      {"routing is 4", [](firbank_config& c) { c.routing = static_cast<firbank_routing>(4); }},
      {"precision is 2",
       [](firbank_config& c) { c.precision = static_cast<firbank_precision>(2); }},
      {"gap_policy is 7",
       [](firbank_config& c) { c.gap_policy = static_cast<firbank_gap_policy>(7); }},
      {"transient is 3",
       [](firbank_config& c) { c.transient = static_cast<firbank_transient>(3); }},
      {"block_frames", [](firbank_config& c) { c.block_frames = 0; }},
      {"threads is 65", [](firbank_config& c) { c.threads = 65; }},
      {"no backend 'abacus'", [](firbank_config& c) { c.backend = "abacus"; }},
      {"sample_rate_hz", [](firbank_config& c) { c.sample_rate_hz = NAN; }},
      {"max_readers is 0", [](firbank_config& c) { c.max_readers = 0; }},
      {"edges[1].filter is 99999",
       [](firbank_config& c) {
         static const firbank_edge edges[] = {{0, 0, 0, 1, 0}, {0, 99'999, 1, 1, 0}};
         c.routing = FIRBANK_EDGES;
         c.edges = edges;
         c.edge_count = 2;
         c.outputs = 2;
       }},
      {"edges is null",
       [](firbank_config& c) {
         c.routing = FIRBANK_EDGES;
         c.edge_count = 3;
       }},
  };
  const FilterBank bank({{1.0}});
  for (const BadConfig& bad : cases) {
    Handle engine(firbank_new());
    firbank_config config = config_of(2);
    bad.spoil(config);
    EXPECT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_BAD_CONFIG);
    EXPECT_THAT(firbank_message(engine.get()), HasSubstr(bad.what));
    EXPECT_THAT(firbank_message(engine.get()), testing::Not(HasSubstr("\n")));
    EXPECT_EQ(firbank_last_status(engine.get()), FIRBANK_BAD_CONFIG);
    // The handle is as good as new.
    config = config_of(2);
    EXPECT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK);
  }
}

// A caller that was compiled with an older header has a shorter structure.
TEST(CApi, AnOlderCallersConfigurationIsFilledUp) {
  firbank_config config = config_of(1);
  config.struct_size = offsetof(firbank_config, precision);
  std::memset(reinterpret_cast<char*>(&config) + config.struct_size, 0xFF,
              sizeof(config) - config.struct_size);
  Handle engine(firbank_new());
  const FilterBank bank({{1.0, 2.0}});
  ASSERT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK)
      << firbank_message(engine.get());
  EXPECT_EQ(firbank_max_frames(engine.get()), 256u);
  firbank_stats stats;
  std::memset(&stats, 0xFF, sizeof(stats));
  stats.struct_size = offsetof(firbank_stats, gaps);
  ASSERT_EQ(firbank_get_stats(engine.get(), &stats), FIRBANK_OK);
  EXPECT_EQ(stats.frames, 0);
  EXPECT_EQ(stats.gap_frames, -1) << "written beyond what the caller has";
  struct {
    firbank_stats known;
    std::int64_t unknown;
  } newer;
  newer.known.struct_size = sizeof newer;
  newer.unknown = 77;
  ASSERT_EQ(firbank_get_stats(engine.get(), &newer.known), FIRBANK_OK);
  EXPECT_EQ(newer.known.struct_size, sizeof(firbank_stats)) << "what there is";
  EXPECT_EQ(newer.known.first_gap_frame, FIRBANK_NO_FRAME);
  EXPECT_EQ(newer.unknown, 77);
}

TEST(CApi, CallsOutOfOrderAreRefused) {
  float in[8] = {};
  float out[8] = {};
  size_t written = 9;
  firbank_block block;
  Handle engine(firbank_new());
  EXPECT_EQ(firbank_process(engine.get(), in, out, 4), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_flush(engine.get(), out, 4, &written), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_reset(engine.get()), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_start(engine.get()), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_stop(engine.get()), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_push(engine.get(), in, 4, 0, 0, nullptr), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_end(engine.get()), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_open_reader(engine.get(), FIRBANK_LOSSY), nullptr);
  EXPECT_EQ(firbank_set_bad_channel(engine.get(), 0, 1), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_inputs(engine.get()), 0u);
  EXPECT_STREQ(firbank_backend(engine.get()), "");

  const FilterBank bank({{1.0, 2.0}});
  firbank_config config = config_of(2);
  ASSERT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK);
  EXPECT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_push(engine.get(), in, 4, 0, 0, nullptr), FIRBANK_WRONG_STATE);
  ASSERT_EQ(firbank_start(engine.get()), FIRBANK_OK);
  EXPECT_EQ(firbank_start(engine.get()), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_process(engine.get(), in, out, 4), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_flush(engine.get(), out, 4, &written), FIRBANK_WRONG_STATE);
  EXPECT_EQ(firbank_open_reader(engine.get(), static_cast<firbank_policy>(5)), nullptr);
  firbank_reader* const reader = firbank_open_reader(engine.get(), FIRBANK_LOSSY);
  ASSERT_NE(reader, nullptr);
  EXPECT_EQ(firbank_wait(reader, 0), 0);
  ASSERT_EQ(firbank_stop(engine.get()), FIRBANK_OK);
  EXPECT_EQ(firbank_pull(reader, out, 4, &block), FIRBANK_OK);
  EXPECT_EQ(block.flags, static_cast<std::uint32_t>(FIRBANK_END));
  EXPECT_EQ(firbank_process(engine.get(), in, out, 4), FIRBANK_OK)
      << "in the caller's thread again";
  firbank_close_reader(reader);
  firbank_close_reader(nullptr);
  firbank_free(nullptr);
}

TEST(CApi, NullsAreArgumentsLikeAnyOther) {
  EXPECT_EQ(firbank_open(nullptr, nullptr, nullptr), FIRBANK_BAD_ARGUMENT);
  EXPECT_EQ(firbank_process(nullptr, nullptr, nullptr, 1), FIRBANK_BAD_ARGUMENT);
  EXPECT_EQ(firbank_pull(nullptr, nullptr, 1, nullptr), FIRBANK_BAD_ARGUMENT);
  EXPECT_EQ(firbank_wait(nullptr, 5), 0);
  EXPECT_STREQ(firbank_message(nullptr), "the handle is null");
  Handle engine(firbank_new());
  EXPECT_EQ(firbank_open(engine.get(), nullptr, nullptr), FIRBANK_BAD_ARGUMENT);
  EXPECT_EQ(firbank_open_toml(engine.get(), nullptr, nullptr, 4, nullptr), FIRBANK_BAD_ARGUMENT);
  const FilterBank bank({{1.0}});
  firbank_config config = config_of(1);
  ASSERT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK);
  float sample = 0;
  EXPECT_EQ(firbank_process(engine.get(), nullptr, &sample, 1), FIRBANK_BAD_ARGUMENT);
  EXPECT_EQ(firbank_swap(engine.get(), nullptr, 0, 0, nullptr), FIRBANK_BAD_ARGUMENT);
  firbank_filters none{};
  EXPECT_EQ(firbank_swap(engine.get(), &none, 0, 0, nullptr), FIRBANK_BAD_CONFIG);
  for (int status = -1; status < 20; ++status) {
    EXPECT_NE(firbank_status_text(static_cast<firbank_status>(status)), nullptr);
  }
}

TEST(CApi, ACallOfTooManyFramesIsSilence) {
  Handle engine(firbank_new());
  const FilterBank bank({{1.0}});
  firbank_config config = config_of(1);
  config.block_frames = 8;
  ASSERT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK);
  const std::vector<float> in(20, 1.0f);
  std::vector<float> out(20, 5.0f);
  EXPECT_EQ(firbank_process(engine.get(), in.data(), out.data(), 20), FIRBANK_TOO_MANY_FRAMES);
  EXPECT_THAT(out, testing::Each(0.0f));
  firbank_stats stats;
  stats.struct_size = sizeof(stats);
  firbank_get_stats(engine.get(), &stats);
  EXPECT_EQ(stats.frames, 0);
}

TEST(CApi, CountsWhatAnIntegerHadToLimit) {
  Handle engine(firbank_new());
  const FilterBank bank({{2.0}});
  firbank_config config = config_of(1);
  config.in.type = FIRBANK_INT16;
  config.out.type = FIRBANK_INT16;
  ASSERT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK);
  const std::int16_t in[] = {100, 20'000, -20'000, 16'383};
  std::int16_t out[4] = {};
  ASSERT_EQ(firbank_process(engine.get(), in, out, 1), FIRBANK_OK);
  ASSERT_EQ(firbank_process(engine.get(), in, out, 4), FIRBANK_OK);
  EXPECT_THAT(out, testing::ElementsAre(200, 32'767, -32'768, 32'766));
  firbank_stats stats;
  stats.struct_size = sizeof(stats);
  firbank_get_stats(engine.get(), &stats);
  EXPECT_EQ(stats.limited_samples, 2u);
  EXPECT_EQ(stats.first_limited_frame, 1);
  EXPECT_EQ(stats.first_missed_frame, FIRBANK_NO_FRAME);
}

TEST(CApi, KeepsSpectraInSixteenBitsWhereAsked) {
  test::Random random(7);
  const FilterBank bank = test::random_bank(random, {700});
  const Signal in = test::random_signal(random, 1, 2'048);
  const std::vector<float> samples(in[0].begin(), in[0].end());
  const Signal oracle = direct_convolution(in, bank, Routing::rows(1, 1), samples.size());
  const auto error_with = [&](firbank_spectra spectra) {
    Handle engine(firbank_new());
    firbank_config config = config_of(1);
    config.in.type = FIRBANK_FLOAT32;
    config.spectra = spectra;
    EXPECT_EQ(firbank_open(engine.get(), &config, Filters(bank).get()), FIRBANK_OK);
    std::vector<float> out(samples.size());
    for (std::size_t n = 0; n < out.size(); n += config.block_frames) {
      EXPECT_EQ(
          firbank_process(engine.get(), samples.data() + n, out.data() + n, config.block_frames),
          FIRBANK_OK);
    }
    return relative_error({std::vector<double>(out.begin(), out.end())}, oracle);
  };
  EXPECT_LT(error_with(FIRBANK_SPECTRA_FULL), 1e-6);
  EXPECT_LT(error_with(FIRBANK_SPECTRA_INT16), 3.2e-5);  // -90 dB
  EXPECT_GT(error_with(FIRBANK_SPECTRA_INT16), 1e-6);
}

}  // namespace
}  // namespace firbank
