#include "engine/config/equalizer_apo_config.hpp"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/config/equaliser_text.hpp"
#include "tests/support/config_refusal.hpp"

namespace firbank {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::map<std::string, std::string> kIncluded = {
    {"eq/more.txt", "Preamp: -6.0206 dB\nChannel: L\nPreamp: 20 dB\n"},
    {"eq/loop.txt", "Include: loop.txt\n"},
};

RunConfig parse(const std::string& text, std::size_t channels = 2) {
  EqualizerApoOptions options;
  options.channels = channels;
  options.read_text = [](const std::string& path) { return kIncluded.at(path); };
  return parse_equalizer_apo_config(text, "eq/eq.txt", options);
}

std::string refusal(const std::string& text) {
  return test::config_refusal([&] { parse(text); });
}

/// The gains from input to output: result[output][input]; 0 where there is no edge.
std::vector<std::vector<double>> gains(const RunConfig& config) {
  std::vector<std::vector<double>> result(config.outputs.size(),
                                          std::vector<double>(config.inputs.size(), 0.0));
  for (const EdgeSpec& edge : config.presets[0].edges) result[edge.output][edge.input] += edge.gain;
  return result;
}

const Equaliser& equaliser_of(const RunConfig& config, std::size_t edge) {
  return std::get<Equaliser>(
      config.filters.at(config.presets[0].edges.at(edge).filter.value()).stages.at(0));
}

TEST(EqualizerApoConfig, CollectsBandsOfAllChannelsInOneFilter) {
  const RunConfig config = parse(
      "\xEF\xBB\xBF# comment\r\nPreamp: -6 dB\r\nFilter 1: ON PK Fc 50 Hz Gain -3.0 dB Q 10.00\r\n"
      "Filter  2: ON  PEQ      Fc     100 Hz  Gain   1.0 dB  BW Oct 0.167\r\n"
      "Filter 3: OFF PK Fc 70 Hz Gain 3 dB Q 1\r\nFilter 4: ON None\r\n"
      "GraphicEQ: 25 6; 40 4.5; 63 3\r\n");
  EXPECT_THAT(config.unsupported, IsEmpty());
  EXPECT_EQ(config.filters.size(), 1u);
  EXPECT_EQ(config.presets[0].edges.size(), 2u);
  EXPECT_NEAR(config.presets[0].edges[1].gain, std::pow(10, -6.0 / 20), 1e-12);
  const Equaliser& equaliser = equaliser_of(config, 1);
  ASSERT_EQ(equaliser.bands.size(), 2u);
  EXPECT_EQ(equaliser.bands[0], (EqualiserBand{BandShape::kPeak, 50, -3, 10}));
  EXPECT_NEAR(equaliser.bands[1].q, 8.63, 0.01);
  EXPECT_THAT(equaliser.curves, ElementsAre(GraphicCurve{{25, 6}, {40, 4.5}, {63, 3}}));
}

TEST(EqualizerApoConfig, ChannelsSelectWhatIsActedOn) {
  const RunConfig config = parse(
      "Channel: R\nFilter: ON LP Fc 100 Hz\nChannel: 1 2\nDelay: 10 ms\nDelay: 3 samples\n"
      "Channel: all\nPreamp: 20 dB\n");
  ASSERT_EQ(config.presets[0].edges.size(), 2u);
  EXPECT_FALSE(config.presets[0].edges[0].filter);
  EXPECT_NEAR(equaliser_of(config, 1).bands[0].q, std::sqrt(0.5), 1e-12);
  for (const EdgeSpec& edge : config.presets[0].edges) {
    EXPECT_EQ(edge.delay, (Delay{3, 0.01}));
    EXPECT_NEAR(edge.gain, 10, 1e-12);
  }
}

TEST(EqualizerApoConfig, CopiesMixWhatTheChannelsWereBefore) {
  EXPECT_THAT(gains(parse("Copy: L=R R=L\n")), ElementsAre(ElementsAre(0, 1), ElementsAre(1, 0)));
  EXPECT_THAT(gains(parse("Copy: L=L+0.5*R 2=-20dB*1\n")),
              ElementsAre(ElementsAre(1, 0.5), ElementsAre(testing::DoubleNear(0.1, 1e-12), 0)));
  EXPECT_THAT(gains(parse("Copy: L=0.0\nCopy: R=R+R\n")),
              ElementsAre(ElementsAre(0, 0), ElementsAre(0, 2)));
  // A channel of its own, which is heard only where it is copied to.
  const RunConfig config = parse(
      "Copy: M=0.5*L+0.5*R\nChannel: M\nPreamp: 20 dB\nCopy: L=M\nChannel: L\nPreamp: 0 dB\n");
  EXPECT_THAT(config.outputs, ElementsAre("L", "R"));
  EXPECT_THAT(gains(config),
              ElementsAre(ElementsAre(testing::DoubleNear(5, 1e-12), testing::DoubleNear(5, 1e-12)),
                          ElementsAre(0, 1)));
}

TEST(EqualizerApoConfig, KnowsTheChannelsOfUsualLayouts) {
  EXPECT_THAT(parse("", 6).inputs, ElementsAre("L", "R", "C", "LFE", "RL", "RR"));
  EXPECT_THAT(parse("Channel: SL sub\n", 6).unsupported, IsEmpty());
  EXPECT_THAT(parse("", 3).inputs, ElementsAre("1", "2", "3"));
  EXPECT_THAT(parse("Channel: C\n").unsupported,
              ElementsAre("eq/eq.txt, line 1: channel 'C' is not there"));
}

TEST(EqualizerApoConfig, ConvolutionsGoRoundTheFilesChannels) {
  const RunConfig config = parse("Channel: 2 3\nConvolution: room.wav\n", 3);
  ASSERT_EQ(config.filters.size(), 2u);
  const auto& first = std::get<FileResponse>(config.filters[0].stages[0]);
  EXPECT_EQ(first.path, "eq/room.wav");
  EXPECT_TRUE(first.wrap_channel);
  EXPECT_EQ(first.channel, 0u);
  EXPECT_EQ(std::get<FileResponse>(config.filters[1].stages[0]).channel, 1u);
}

TEST(EqualizerApoConfig, IncludedFilesBeginWithTheSelectionAndLeaveItAsItWas) {
  const RunConfig config = parse("Include: more.txt\nPreamp: 6.0206 dB\n");
  EXPECT_THAT(gains(config), ElementsAre(ElementsAre(testing::DoubleNear(10, 1e-9), 0),
                                         ElementsAre(0, testing::DoubleNear(1, 1e-9))));
}

TEST(EqualizerApoConfig, NamesWhatIsNotSupported) {
  const RunConfig config = parse(
      "Device: all\nFilter: ON NO Fc 800 Hz\nFilter 3: ON IIR Order 1 Coefficients 1 0 1 0\nhello\n"
      "Copy: L=0.5\nFilter: ON LS 6dB Fc 50 Hz Gain 7 dB\nIf: 1\nCopy: L=X\n");
  EXPECT_THAT(config.unsupported,
              ElementsAre("eq/eq.txt, line 1: command 'Device' is not supported",
                          HasSubstr("line 2: filter type 'NO' is not supported"),
                          HasSubstr("line 3: filter type 'IIR' is not supported"),
                          "eq/eq.txt, line 4: 'hello' is no command",
                          HasSubstr("line 5: the constant 0.5 is not supported"),
                          HasSubstr("line 6: shelves given by their corner"),
                          HasSubstr("line 7: command 'If'"),
                          HasSubstr("line 8: channel 'X' is not there")));
  EXPECT_THAT(gains(config), ElementsAre(ElementsAre(1, 0), ElementsAre(0, 1)));
}

TEST(EqualizerApoConfig, NamesTheLineOfWhatItRefuses) {
  EXPECT_THAT(refusal("\nFilter: ON PK Fc x Hz Gain 1 dB Q 1\n"),
              HasSubstr("eq/eq.txt, line 2: Fc is 'x'; a number from 0.001 to 1000000"));
  EXPECT_THAT(refusal("Filter: ON PK Fc 100 Hz Gain 1 dB\n"),
              HasSubstr("line 1: the filter has no Q"));
  EXPECT_THAT(refusal("Filter: ON LS Fc 100 Hz\n"), HasSubstr("no Gain"));
  EXPECT_THAT(refusal("Filter: ON LP Q 1\n"), HasSubstr("no Fc"));
  EXPECT_THAT(refusal("Filter: ON LP Fc 100 Hz Slope 3\n"), HasSubstr("'Slope' is not allowed"));
  EXPECT_THAT(refusal("Filter: ON LSC 99 dB Fc 100 Hz Gain 1 dB\n"), HasSubstr("the slope is 99"));
  EXPECT_THAT(refusal("Preamp: loud\n"), HasSubstr("the gain is 'loud'"));
  EXPECT_THAT(refusal("Preamp: -6 cm\n"), HasSubstr("the gain is '-6 cm'"));
  EXPECT_THAT(refusal("GraphicEQ: 20 1; 10 2\n"), HasSubstr("frequency 10 Hz follows 20 Hz"));
  EXPECT_THAT(refusal("GraphicEQ: 20 x\n"), HasSubstr("point '20 x'"));
  EXPECT_THAT(refusal("GraphicEQ:\n"), HasSubstr("0 points"));
  EXPECT_THAT(refusal("Delay: 5\n"), HasSubstr("the delay is '5'"));
  EXPECT_THAT(refusal("Copy: L\n"), HasSubstr("'L' is no assignment"));
  EXPECT_THAT(refusal("Include: loop.txt\n"),
              HasSubstr("eq/loop.txt, line 1: 'loop.txt' is included"));
  EXPECT_THAT(refusal("Convolution:\n"), HasSubstr("file is missing"));
}

TEST(EqualiserText, ShelvesHaveTheSlopeThatTheyAreGiven) {
  const auto band = [](const std::string& text) {
    return std::get<EqualiserBand>(parse_band(text, "x"));
  };
  // A slope of 12 dB an octave is S = 1, which is Q = 0.7071 whatever the gain is.
  EXPECT_NEAR(band("ON LSC 12 dB Fc 300 Hz Gain 5 dB").q, std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(band("HSC 10.8dB Fc 300 Hz Gain -8 dB").q, band("HS Fc 300 Hz Gain -8 dB").q, 1e-12);
  EXPECT_LT(band("ON HS Fc 300 Hz Gain 5 dB").q, std::sqrt(0.5));
  EXPECT_EQ(band("ON LS Fc 300 Hz Gain 5 dB Q 0.9").q, 0.9);
}

}  // namespace
}  // namespace firbank
