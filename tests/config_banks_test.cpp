#include "engine/config/config_banks.hpp"

#include <cmath>
#include <complex>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/config/config_file.hpp"
#include "engine/config/response_loader.hpp"
#include "engine/config/toml_config.hpp"
#include "engine/engine.hpp"
#include "engine/reference.hpp"
#include "tests/support/config_refusal.hpp"
#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kRate = 48'000;

Signal noise(std::size_t channels, std::size_t frames, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> sample(-1, 1);
  Signal signal(channels, std::vector<double>(frames));
  for (auto& channel : signal) {
    for (double& value : channel) value = sample(random);
  }
  return signal;
}

/// What a state of a configuration means, sample by sample, from its own words: no folding, no
/// banks. Filters are lists of taps.
Signal directly(const RunConfig& config, const Signal& in, const BankState& state, double level,
                std::size_t frames) {
  const PresetSpec& preset = config.presets[state.preset];
  const bool bypass = state.bypass.value_or(preset.bypass);
  const double mix = bypass ? 0 : state.mix.value_or(preset.mix);
  Signal out(config.outputs.size(), std::vector<double>(frames, 0.0));
  const auto input_at = [&](std::size_t channel, std::ptrdiff_t n) {
    return n < 0 || n >= static_cast<std::ptrdiff_t>(in[channel].size())
               ? 0.0
               : in[channel][static_cast<std::size_t>(n)];
  };
  for (std::size_t o = 0; o < out.size(); ++o) {
    for (std::size_t n = 0; n < frames; ++n) {
      double wet = 0;
      for (const EdgeSpec& edge : preset.edges) {
        if (edge.output != o) continue;
        TapList taps = {1};
        double gain = edge.gain;
        auto delay = static_cast<std::ptrdiff_t>(delay_frames(edge.delay, kRate));
        if (edge.filter) {
          const FilterSpec& filter = config.filters[*edge.filter];
          taps = std::get<TapList>(filter.stages[0]);
          gain *= filter.gain;
          delay += static_cast<std::ptrdiff_t>(delay_frames(filter.delay, kRate));
        }
        for (std::size_t k = 0; k < taps.size(); ++k) {
          wet += gain * taps[k] *
                 input_at(edge.input,
                          static_cast<std::ptrdiff_t>(n) - delay - static_cast<std::ptrdiff_t>(k));
        }
      }
      const std::size_t dry_input = in.size() == 1 ? 0 : o;
      const double dry =
          dry_input < in.size() ? input_at(dry_input, static_cast<std::ptrdiff_t>(n)) : 0;
      out[o][n] = state.gain * level * (mix * preset.gain * wet + (1 - mix) * dry);
    }
  }
  return out;
}

RunConfig random_config(std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::uniform_real_distribution<double> value(-1, 1);
  RunConfig config;
  config.path = "random.toml";
  const std::size_t inputs = 1 + below(3), outputs = 1 + below(3);
  for (std::size_t i = 0; i < inputs; ++i) config.inputs.push_back(fmt::format("i{}", i));
  for (std::size_t i = 0; i < outputs; ++i) config.outputs.push_back(fmt::format("o{}", i));
  const std::size_t filters = 1 + below(4);
  for (std::size_t f = 0; f < filters; ++f) {
    TapList taps(1 + below(40));
    for (double& tap : taps) tap = value(random);
    config.filters.push_back({.name = fmt::format("f{}", f),
                              .stages = {taps},
                              .gain = value(random),
                              .delay = {.frames = below(9)}});
  }
  const std::size_t presets = 1 + below(3);
  for (std::size_t p = 0; p < presets; ++p) {
    PresetSpec preset;
    preset.name = fmt::format("p{}", p);
    preset.gain = value(random);
    preset.mix = below(2) == 0 ? 1 : 0.5 + 0.5 * value(random);
    preset.bypass = below(5) == 0;
    for (std::size_t e = 1 + below(6); e > 0; --e) {
      EdgeSpec edge{.input = below(inputs), .output = below(outputs)};
      if (below(4) != 0) edge.filter = below(filters);
      edge.gain = value(random);
      edge.delay = {below(5), static_cast<double>(below(3)) * 1e-4};
      preset.edges.push_back(edge);
    }
    config.presets.push_back(preset);
  }
  return config;
}

TEST(ConfigBanks, FoldsEverythingIntoTapsOfOneRouting) {
  const std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 60; ++i) {
    SCOPED_TRACE(fmt::format("configuration {} of seed {}", i, seed));
    const RunConfig config = random_config(random);
    const ConfigBanks banks(config, {.sample_rate_hz = kRate, .any_connection = i % 2 == 1});
    const Signal in = noise(config.inputs.size(), 60, random());
    for (std::size_t p = 0; p < config.presets.size(); ++p) {
      for (const BankState& state :
           {BankState{.preset = p}, BankState{.preset = p, .bypass = true},
            BankState{.preset = p, .bypass = false, .mix = 0.25, .level_match = false, .gain = -2},
            BankState{.preset = p, .bypass = false, .level_match = true}}) {
        const FilterBank bank = banks.bank(state);
        ASSERT_LE(bank.longest(), banks.longest_taps());
        const bool match = state.level_match.value_or(false);
        const double level = match ? banks.matching_gain(state) : 1;
        const Signal expected = directly(config, in, state, level, 150);
        const Signal folded = direct_convolution(in, bank, banks.routing(), 150);
        for (std::size_t o = 0; o < expected.size(); ++o) {
          for (std::size_t n = 0; n < 150; ++n) ASSERT_NEAR(folded[o][n], expected[o][n], 1e-11);
        }
      }
    }
  }
}

const char* const kTwoPresets = R"(
[stream]
inputs = 2
[[filter]]
name = "a"
taps = [0.5, 0.25, -0.125, 0.75]
[[filter]]
name = "b"
taps = [0, 0, 1.5]
[[preset]]
name = "a"
filter = "a"
mix = 0.7
[[preset]]
name = "b"
[[preset.edge]]
input = 1
output = 2
filter = "b"
gain_db = -6
)";

TEST(ConfigBanks, AlikePairsShareAFilter) {
  const RunConfig config = parse_toml_config(kTwoPresets, "x.toml");
  // 1 to 1 and 2 to 2 are alike in both presets; 1 to 2 is heard in the second one.
  const ConfigBanks banks(config, {.sample_rate_hz = kRate});
  EXPECT_EQ(banks.routing().edges().size(), 3u);
  EXPECT_EQ(banks.bank().size(), 2u);
  EXPECT_EQ(banks.longest_taps(), 4u);
  const ConfigBanks second(config,
                           {.sample_rate_hz = kRate, .only_preset = 1, .may_bypass = false});
  EXPECT_EQ(second.routing().edges().size(), 1u);
  EXPECT_THAT(test::config_refusal([&] { second.bank({.preset = 0}); }),
              HasSubstr("preset 0 is not loaded"));
  EXPECT_THAT(test::config_refusal([&] { second.bank({.preset = 1, .bypass = true}); }),
              HasSubstr("without the dry signal"));
  EXPECT_THAT(test::config_refusal([&] { banks.bank({.preset = 0, .bypass = {}, .mix = 1.5}); }),
              HasSubstr("mix is 1.5; 0 to 1 are allowed"));
}

TEST(ConfigBanks, AnyConnectionsOfTheSameChannelsHaveOneRouting) {
  const RunConfig config = parse_toml_config(kTwoPresets, "x.toml");
  const RunConfig other = parse_toml_config(R"(
[stream]
inputs = 2
[[edge]]
input = 2
output = 1
gain = 3
)",
                                            "y.toml");
  const ConfigBanksOptions options{.sample_rate_hz = kRate, .any_connection = true};
  const ConfigBanks one(config, options);
  const ConfigBanks two(other, options);
  EXPECT_EQ(one.routing().edges().size(), 4u);
  EXPECT_EQ(one.bank().size(), 4u);
  EXPECT_EQ(one.routing().edges(), two.routing().edges());
}

TEST(ConfigBanks, PresetsChangeBySwapInARunningEngine) {
  const RunConfig config = parse_toml_config(kTwoPresets, "x.toml");
  const ConfigBanks banks(config, {.sample_rate_hz = kRate});
  Engine engine({.block_frames = 16, .max_taps = banks.longest_taps()}, banks.bank(),
                banks.routing());
  const Signal in = noise(2, 160, 3);
  std::vector<std::vector<float>> samples(2), output(2, std::vector<float>(160));
  for (std::size_t c = 0; c < 2; ++c) samples[c].assign(in[c].begin(), in[c].end());
  const std::vector<BankState> states = {{}, {.preset = 1}, {.preset = 0, .bypass = true}};
  engine.swap(banks.bank(states[1]), 48);
  engine.swap(banks.bank(states[2]), 100);
  for (std::size_t at = 0; at < 160; at += 16) {
    const float* const planes_in[] = {samples[0].data() + at, samples[1].data() + at};
    float* const planes_out[] = {output[0].data() + at, output[1].data() + at};
    ASSERT_EQ(engine.process(planes_in, planes_out, 16), ProcessStatus::kOk);
  }
  std::vector<Signal> expected;
  for (const BankState& state : states) expected.push_back(directly(config, in, state, 1, 160));
  for (std::size_t n = 0; n < 160; ++n) {
    const Signal& now = expected[n < 48 ? 0 : n < 100 ? 1 : 2];
    for (std::size_t c = 0; c < 2; ++c) ASSERT_NEAR(output[c][n], now[c][n], 1e-5) << n;
  }
}

TEST(ConfigBanks, LevelMatchingBringsPinkNoiseToTheLevelOfTheDrySignal) {
  RunConfig config = parse_toml_config(kTwoPresets, "x.toml");
  const ConfigBanks banks(config, {.sample_rate_hz = kRate});
  for (std::size_t p = 0; p < 2; ++p) {
    const FilterBank bank = banks.bank({.preset = p, .bypass = {}, .mix = {}, .level_match = true});
    // By a direct sum over frequencies, evenly spaced on a logarithmic scale: pink noise.
    double power = 0;
    constexpr int kPoints = 4'000;
    for (int i = 0; i < kPoints; ++i) {
      const double hz = 20 * std::pow(1'000.0, (i + 0.5) / kPoints);
      for (const Edge& edge : banks.routing().edges()) {
        std::complex<double> sum = 0;
        for (std::size_t k = 0; k < bank.taps(edge.filter).size(); ++k) {
          sum += bank.taps(edge.filter)[k] *
                 std::polar(1.0, -2 * std::numbers::pi * hz / kRate * static_cast<double>(k));
        }
        power += std::norm(sum) / kPoints;
      }
    }
    EXPECT_NEAR(10 * std::log10(power / 2), 0, 0.02);  // two outputs
  }
}

class ConfigFiles : public io_test::FilesTest {
 protected:
  RunConfig config_of(const std::string& filter) const {
    return parse_toml_config("[stream]\ninputs = 1\n[[filter]]\nname = 'f'\n" + filter +
                                 "\n[[edge]]\ninput = 1\noutput = 1\nfilter = 'f'\n",
                             path("run.toml"));
  }
  std::vector<double> taps_of(const RunConfig& config, double rate_hz = kRate) {
    said_.clear();
    const ConfigBanks banks(config, {.sample_rate_hz = rate_hz,
                                     .only_preset = {},
                                     .may_bypass = false,
                                     .notice = [&](const std::string& line) { said_ += line; }});
    const FilterBank bank = banks.bank();
    return {bank.taps(0).begin(), bank.taps(0).end()};
  }
  std::string refusal(const std::string& filter) {
    return test::config_refusal([&] { taps_of(config_of(filter)); });
  }
  void write(const std::string& name, const io_test::Planes& planes, double rate_hz = kRate) {
    io_test::write_file(path(name), planes, SampleEncoding::kFloat64, rate_hz);
  }

  std::string said_;
};

TEST_F(ConfigFiles, CutsAndTrimsFiles) {
  write("two.wav", {{1, 2, 3, 4, 5}, {0, 0, 0.0001, 0.5, 0.25}});
  EXPECT_THAT(taps_of(config_of("file='two.wav'\noffset=1\nlength=2\ngain=2\ndelay=1")),
              ElementsAre(0, 4, 6));
  EXPECT_EQ(said_, "");
  EXPECT_THAT(taps_of(config_of("file='two.wav'\nchannel=2")),
              ElementsAre(0, 0, 0.0001, 0.5, 0.25));
  EXPECT_THAT(said_, HasSubstr("channel 2: begins with 3 frames (0.0625 ms) of silence, kept"));
  EXPECT_THAT(taps_of(config_of("file='two.wav'\nchannel=2\ntrim=true")), ElementsAre(0.5, 0.25));
  EXPECT_THAT(said_, HasSubstr("left out"));
  EXPECT_THAT(refusal("file='two.wav'\nchannel=3"), HasSubstr("channel 3 is not there; 1 to 2"));
  EXPECT_THAT(refusal("file='two.wav'\noffset=5"), HasSubstr("the offset is 5 frames; 0 to 4"));
}

TEST_F(ConfigFiles, ResamplesFilesOfAnotherRateAndSaysSo) {
  // A response in the middle of silence, whose gain at 0 Hz has to stay.
  std::vector<double> response(2'000, 0.0);
  for (std::size_t k = 0; k < 200; ++k)
    response[900 + k] = std::sin(0.0157 * static_cast<double>(k));
  write("slow.wav", {response}, 24'000);
  const std::vector<double> taps = taps_of(config_of("file='slow.wav'"));
  EXPECT_THAT(said_, HasSubstr("resampled from 24000 Hz to 48000 Hz"));
  EXPECT_NEAR(static_cast<double>(taps.size()), 4'000, 200);
  double before = 0, after = 0;
  for (const double tap : response) before += tap;
  for (const double tap : taps) after += tap;
  EXPECT_NEAR(after / before, 1, 1e-6);
}

TEST_F(ConfigFiles, ChainsConvolve) {
  const RunConfig config = parse_toml_config(
      "[stream]\ninputs = 1\n[[filter]]\nname='a'\ntaps=[1, 2]\n[[filter]]\nname='b'\n"
      "taps=[3, 0, -1]\ngain=2\n[[filter]]\nname='c'\nchain=['a', 'b']\n"
      "[[preset]]\nname='p'\nfilter='c'\n",
      path("run.toml"));
  const std::vector<double> expected = {6, 12, -2, -4};
  const std::vector<double> taps = taps_of(config);
  ASSERT_EQ(taps.size(), expected.size());
  for (std::size_t k = 0; k < taps.size(); ++k) EXPECT_NEAR(taps[k], expected[k], 1e-12);
}

TEST_F(ConfigFiles, APackedMatrixIsCutIntoItsParts) {
  write("matrix.wav", {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}});
  const std::string file =
      with_bytes("matrix.conf", "/impulse/packedmatrix 2 0.5 1 0 0 matrix.wav\n");
  const RunConfig config = read_config_file(file);
  const ConfigBanks banks(config,
                          {.sample_rate_hz = kRate, .only_preset = {}, .may_bypass = false});
  const FilterBank bank = banks.bank();
  ASSERT_EQ(banks.routing().edges().size(), 6u);
  for (const Edge& edge : banks.routing().edges()) {
    const double first =
        1 + 4.0 * static_cast<double>(edge.output) + 2.0 * static_cast<double>(edge.input);
    EXPECT_THAT(std::vector<double>(bank.taps(edge.filter).begin(), bank.taps(edge.filter).end()),
                ElementsAre(0, first / 2, (first + 1) / 2));
  }
  write("matrix.wav", {{1, 2, 3}, {5, 6, 7}, {1, 1, 1}});
  EXPECT_THAT(test::config_refusal([&] { ConfigBanks(config, {.sample_rate_hz = kRate}); }),
              HasSubstr("3 frames cannot be cut into 2 equal parts"));
}

TEST_F(ConfigFiles, SaysWhenACurveNeedsMoreTaps) {
  taps_of(config_of("equaliser=['PK Fc 30 Hz Gain 9 dB Q 4']\nlength=256"));
  EXPECT_THAT(said_, HasSubstr("filter 'f': 256 taps are too few for its curve"));
}

TEST_F(ConfigFiles, CutsResponsesToWhatIsGivenForThem) {
  const RunConfig config = parse_toml_config(
      "[stream]\ninputs = 1\n[engine]\nresponse_frames = 3\n[[filter]]\nname='a'\n"
      "taps=[1, 2, 3, 4]\n[[preset]]\nname='p'\nfilter='a'\n",
      path("run.toml"));
  EXPECT_THAT(taps_of(config), ElementsAre(1, 2, 3));
  EXPECT_THAT(said_, HasSubstr("responses of 4 frames are cut to 3"));
}

TEST_F(ConfigFiles, TheFormatIsThatOfTheText) {
  EXPECT_EQ(guess_config_format("# x\n\n/convolver/new 1", "a.conf"), ConfigFormat::kJconvolver);
  EXPECT_EQ(guess_config_format("Preamp: -6 dB", "a.txt"), ConfigFormat::kEqualizerApo);
  EXPECT_EQ(guess_config_format("Copy: L=R", "a.txt"), ConfigFormat::kEqualizerApo);
  EXPECT_EQ(guess_config_format("a = 'b: c'", "a.txt"), ConfigFormat::kToml);
  EXPECT_EQ(guess_config_format("[stream]", "a.txt"), ConfigFormat::kToml);
  EXPECT_EQ(guess_config_format("Preamp: -6 dB", "a.toml"), ConfigFormat::kToml);
  EXPECT_EQ(io_test::refusal(ErrorKind::kInput, [&] { read_config_file(path("none.toml")); })
                    .find("none.toml") != std::string::npos,
            true);
  const std::string binary = with_bytes("binary.toml", std::string("a\0b", 3));
  EXPECT_THAT(io_test::refusal(ErrorKind::kInput, [&] { read_config_file(binary); }),
              HasSubstr("it is no text"));
}

}  // namespace
}  // namespace firbank
