#include "engine/config/jconvolver_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/config_refusal.hpp"

namespace firbank {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RunConfig parse(const std::string& text) {
  return parse_jconvolver_config(text, "halls/run.conf", [](const std::string& path) {
    EXPECT_EQ(path, "halls/matrix.wav");
    return std::size_t{3};
  });
}

std::string refusal(const std::string& text) {
  return test::config_refusal([&] { parse(text); });
}

const std::string kNew = "/convolver/new 2 3 256 5000 1.0\n";

TEST(JconvolverConfig, ReadsCommandsAsFconvolverDoes) {
  const RunConfig config = parse("# a comment\n\n/jack/client hall\n" + kNew +
                                 "/cd sub folder\n"
                                 "/input/name 1 in.L system:capture_1\n/output/name 3 out.C\n"
                                 "/impulse/read 1 2 -0.5 10 20 30 2 a b.wav\n"
                                 "/impulse/read 1 2 1 0 0 0 1 \"c.wav\"\n"
                                 "/impulse/dirac 2 1 0.25 7\n"
                                 "/impulse/hilbert 2 1 2 40 64\n");
  EXPECT_THAT(config.inputs, ElementsAre("in.L", "in-2"));
  EXPECT_THAT(config.outputs, ElementsAre("out-1", "out-2", "out.C"));
  EXPECT_EQ(config.engine.response_frames, 5'000u);
  ASSERT_EQ(config.presets.size(), 1u);
  const std::vector<EdgeSpec>& edges = config.presets[0].edges;
  ASSERT_EQ(edges.size(), 4u);
  EXPECT_EQ(edges[0].input, 0u);
  EXPECT_EQ(edges[0].output, 1u);
  EXPECT_DOUBLE_EQ(edges[0].gain, -0.5);
  EXPECT_EQ(edges[0].delay.frames, 10u);
  const auto& file = std::get<FileResponse>(config.filters[*edges[0].filter].stages[0]);
  EXPECT_EQ(file.path, "halls/sub folder/a b.wav");
  EXPECT_EQ(file.offset, 20u);
  EXPECT_EQ(file.length, 30u);
  EXPECT_EQ(file.channel, 1u);
  EXPECT_EQ(std::get<FileResponse>(config.filters[*edges[1].filter].stages[0]).path,
            "halls/sub folder/c.wav");
  EXPECT_FALSE(edges[2].filter);
  EXPECT_EQ(edges[2].delay.frames, 7u);
  // The delay is the centre of the response.
  EXPECT_EQ(edges[3].delay.frames, 8u);
  EXPECT_EQ(std::get<HilbertResponse>(config.filters[*edges[3].filter].stages[0]).length, 64u);
}

TEST(JconvolverConfig, CopiesHaveWhatTheirOriginalGetsLater) {
  const RunConfig config = parse(kNew +
                                 "/impulse/dirac 1 1 1 3\n/impulse/copy 2 2 1 1\n"
                                 "/impulse/copy 2 3 2 2\n/impulse/dirac 1 1 0.5 5\n");
  std::vector<std::vector<std::size_t>> delays(6);
  for (const EdgeSpec& edge : config.presets[0].edges) {
    delays[edge.input * 3 + edge.output].push_back(edge.delay.frames);
  }
  EXPECT_THAT(delays, ElementsAre(ElementsAre(3, 5), ElementsAre(), ElementsAre(), ElementsAre(),
                                  ElementsAre(3, 5), ElementsAre(3, 5)));
}

TEST(JconvolverConfig, CutsAPackedMatrix) {
  const RunConfig config = parse("/impulse/packedmatrix 2 0.5 7 1 9 matrix.wav\n");
  EXPECT_EQ(config.inputs.size(), 2u);
  EXPECT_EQ(config.outputs.size(), 3u);
  EXPECT_EQ(config.engine.response_frames, 0u);
  ASSERT_EQ(config.presets[0].edges.size(), 6u);
  for (const EdgeSpec& edge : config.presets[0].edges) {
    const auto& file = std::get<FileResponse>(config.filters[*edge.filter].stages[0]);
    EXPECT_EQ(file.segments, 2u);
    EXPECT_EQ(file.segment, edge.input);
    EXPECT_EQ(file.channel, edge.output);
    EXPECT_EQ(file.offset, 1u);
    EXPECT_EQ(file.length, 9u);
    EXPECT_EQ(edge.delay.frames, 7u);
    EXPECT_DOUBLE_EQ(edge.gain, 0.5);
  }
}

TEST(JconvolverConfig, KeepsAResponseThatIsUsedTwiceOnce) {
  const RunConfig config = parse(kNew +
                                 "/impulse/read 1 1 1 0 0 0 1 a.wav\n"
                                 "/impulse/read 2 2 0.5 3 0 0 1 a.wav\n"
                                 "/impulse/read 2 3 0.5 3 0 0 2 a.wav\n");
  EXPECT_EQ(config.filters.size(), 2u);
}

TEST(JconvolverConfig, NamesTheLineOfWhatItRefuses) {
  EXPECT_THAT(refusal(kNew + "\n/impulse/raed 1 1 1 0 0 0 1 a.wav\n"),
              HasSubstr("halls/run.conf, line 3: '/impulse/raed' is no command"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 3 1 1 0\n"),
              HasSubstr("line 2: the input is '3'; a whole number from 1 to 2 is allowed"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 1 0 1 0\n"), HasSubstr("the output is '0'"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 1 1 x 0\n"), HasSubstr("the gain is 'x'"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 1 1 1 -2\n"), HasSubstr("the delay is '-2'"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 1 1 1\n"), HasSubstr("the delay is ''"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 1 1 1 0 7\n"), HasSubstr("'7' is too much"));
  EXPECT_THAT(refusal(kNew + "/impulse/read 1 1 1 0 0 0 1\n"), HasSubstr("file is missing"));
  EXPECT_THAT(refusal(kNew + "/impulse/hilbert 1 1 1 31 64\n"),
              HasSubstr("line 2: the delay is 31; at least half the length, 32, is allowed"));
  EXPECT_THAT(refusal(kNew + "/impulse/hilbert 1 1 1 40 16\n"),
              HasSubstr("the length is '16'; a whole number from 64 to 65536 is allowed"));
  EXPECT_THAT(refusal(kNew + "/impulse/copy 1 1 1 1\n"), HasSubstr("a copy of itself"));
  EXPECT_THAT(refusal(kNew + "/impulse/copy 1 1 2 1\n"), HasSubstr("no response"));
  EXPECT_THAT(refusal(kNew + "/impulse/dirac 1 1 1 0\n/impulse/copy 2 1 1 1\n"
                             "/impulse/dirac 2 1 1 0\n"),
              HasSubstr("line 4: input 2, output 1 is a copy"));
  EXPECT_THAT(refusal("/impulse/dirac 1 1 1 0\n" + kNew),
              HasSubstr("line 2: /convolver/new comes"));
  EXPECT_THAT(refusal("/convolver/new 1 1 256 0\n"), HasSubstr("maximum impulse length is '0'"));
  EXPECT_THAT(refusal(kNew), HasSubstr("halls/run.conf: it has 0 responses"));
  EXPECT_THAT(refusal("/convolver/new 1 1 256 99\n/impulse/packedmatrix 2 1 0 0 0 matrix.wav\n"),
              HasSubstr("the matrix has 2 inputs and 3 outputs; /convolver/new has 1 and 1"));
}

}  // namespace
}  // namespace firbank
