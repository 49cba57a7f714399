#include "engine/config/toml_config.hpp"

#include <cmath>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/config_refusal.hpp"

namespace firbank {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::string& text) {
  return test::config_refusal([&] { parse_toml_config(text, "run.toml"); });
}

const std::string kStream = "[stream]\ninputs = 2\n";  // two lines
const std::string kFilter = "[[filter]]\nname = 'a'\ntaps = [1, 0.5]\n";
const std::string kEdge = "[[edge]]\ninput = 1\noutput = 1\nfilter = 'a'\n";

TEST(TomlConfig, ReadsTheExampleOfTheReadme) {
  std::ifstream file(FIRBANK_SOURCE "/engine/config/README.md");
  const std::string readme(std::istreambuf_iterator<char>(file), {});
  const std::size_t first = readme.find("```toml\n");
  ASSERT_NE(first, std::string::npos);
  const std::string text = readme.substr(first + 8, readme.find("```", first + 8) - first - 8);
  const RunConfig config = parse_toml_config(text, "music/run.toml");
  EXPECT_THAT(config.inputs, ElementsAre("left", "right"));
  EXPECT_THAT(config.outputs, ElementsAre("left", "right"));
  EXPECT_EQ(config.engine.block_frames, 64u);
  EXPECT_NEAR(config.engine.crossfade_seconds, 0.03, 1e-12);
  ASSERT_GE(config.filters.size(), 5u);
  const auto& hall = std::get<FileResponse>(config.filters[0].stages[0]);
  EXPECT_EQ(hall.path, "music/hall.wav");
  EXPECT_EQ(hall.channel, 0u);
  EXPECT_TRUE(hall.trim);
  ASSERT_EQ(config.presets.size(), 4u);
  EXPECT_EQ(config.presets[0].name, "hall");
  EXPECT_DOUBLE_EQ(config.presets[0].mix, 0.3);
  EXPECT_TRUE(config.presets[0].level_match);
  EXPECT_TRUE(config.presets.back().bypass);
}

TEST(TomlConfig, KeepsEveryKey) {
  const RunConfig config = parse_toml_config(R"(
[stream]
inputs = ["mic"]
outputs = 3
rate = 44100
input_file = "in.wav"
output_file = "/tmp/out.wav"
input_device = "card 1"
output_device = "card 2"
[engine]
block = 128
threads = 2
backend = "cpu-scalar"
precision = "double"
response_frames = 1000
crossfade_ms = 5
[[filter]]
name = "part"
file = "hall.wav"
channel = 2
offset = 3
length = 4
gain = -0.5
delay = 7
[[filter]]
name = "eq"
equaliser = ["ON HP Fc 30 Hz", "GraphicEQ: 100 0; 1000 3"]
length = 4096
phase = "linear"
gain_db = 6
[[filter]]
name = "both"
chain = ["part", "eq"]
delay_ms = 10
[[filter]]
name = "shift"
hilbert = 64
[[preset]]
name = "one"
gain_db = -3
[[preset.edge]]
input = "mic"
output = "out-2"
filter = "both"
gain_db = -6
delay_ms = 2.5
[[preset.edge]]
input = 1
output = 3
)",
                                             "music/run.toml");
  EXPECT_DOUBLE_EQ(config.stream.sample_rate_hz, 44'100);
  EXPECT_EQ(config.stream.input_file, "music/in.wav");
  EXPECT_EQ(config.stream.output_file, "/tmp/out.wav");
  EXPECT_EQ(config.stream.input_device, "card 1");
  EXPECT_EQ(config.stream.output_device, "card 2");
  EXPECT_EQ(config.engine.threads, 2u);
  EXPECT_EQ(config.engine.backend, "cpu-scalar");
  EXPECT_EQ(config.engine.precision, "double");
  EXPECT_EQ(config.engine.response_frames, 1'000u);
  EXPECT_DOUBLE_EQ(config.engine.crossfade_seconds, 0.005);
  const auto& part = std::get<FileResponse>(config.filters[0].stages[0]);
  EXPECT_EQ(part.channel, 1u);
  EXPECT_EQ(part.offset, 3u);
  EXPECT_EQ(part.length, 4u);
  EXPECT_FALSE(part.trim);
  EXPECT_DOUBLE_EQ(config.filters[0].gain, -0.5);
  EXPECT_EQ(config.filters[0].delay.frames, 7u);
  const auto& equaliser = std::get<Equaliser>(config.filters[1].stages[0]);
  EXPECT_EQ(equaliser.taps, 4'096u);
  EXPECT_EQ(equaliser.phase, FilterPhase::kLinear);
  EXPECT_EQ(equaliser.bands.size(), 1u);
  EXPECT_EQ(equaliser.curves.size(), 1u);
  const FilterSpec& both = config.filters[2];
  EXPECT_EQ(both.stages.size(), 2u);
  EXPECT_NEAR(both.gain, -0.5 * std::pow(10, 6.0 / 20), 1e-12);
  EXPECT_EQ(both.delay, (Delay{7, 0.01}));
  EXPECT_EQ(std::get<HilbertResponse>(config.filters[3].stages[0]).length, 64u);
  const PresetSpec& preset = config.presets.at(0);
  EXPECT_NEAR(preset.gain, std::pow(10, -3.0 / 20), 1e-12);
  ASSERT_EQ(preset.edges.size(), 2u);
  EXPECT_EQ(preset.edges[0].filter, 2u);
  EXPECT_EQ(preset.edges[0].output, 1u);
  EXPECT_DOUBLE_EQ(preset.edges[0].delay.seconds, 0.0025);
  EXPECT_FALSE(preset.edges[1].filter);
  EXPECT_EQ(preset.edges[1].output, 2u);
}

TEST(TomlConfig, PresetsWithoutEdgesUseThoseOfTheFile) {
  const RunConfig config =
      parse_toml_config(kStream + kFilter + kEdge +
                            "[[preset]]\nname = 'x'\nmix = 0.5\n[[preset]]\nname='y'\n"
                            "filter = 'a'\n",
                        "run.toml");
  EXPECT_EQ(config.presets[0].edges.size(), 1u);
  EXPECT_EQ(config.presets[1].edges.size(), 2u);
  EXPECT_EQ(parse_toml_config(kStream + kFilter + kEdge, "run.toml").presets[0].name, "default");
}

TEST(TomlConfig, NamesTheLineAndTheKeyOfWhatItRefuses) {
  EXPECT_THAT(refusal("[stream]\ninputs = 2\nrate = 'x'\n"),
              AllOf(StartsWith("run.toml, line 3, stream.rate: "),
                    HasSubstr("it is a text; a number is allowed")));
  EXPECT_THAT(refusal("[stream]\ninputs = 0\n"),
              HasSubstr("line 2, stream.inputs: it is 0; 1 to 65536 are allowed"));
  EXPECT_THAT(refusal("[stream]\ninputs = 2.5\n"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("[stream]\ninputs = ['a', 3]\n"), HasSubstr("element 2 is a whole number"));
  EXPECT_THAT(refusal(kStream + "\n[engine]\nblock = 70000\n"),
              HasSubstr("line 5, engine.block: it is 70000; 1 to 65536 are allowed"));
  EXPECT_THAT(refusal(kStream + "[engine]\nprecision = 'half'\n"),
              HasSubstr("line 4, engine.precision: it is 'half'; float, double are allowed"));
  EXPECT_THAT(refusal(kStream + "[[filter]]\nname = 'a'\nfile = 'x.wav'\ngain_db = 900\n"),
              HasSubstr("line 6, filter.gain_db: it is 900; -200 to 60 are allowed"));
  EXPECT_THAT(refusal(kStream + "[[filter]]\nname = 'a'\nfile = 'x.wav'\ntrim = 1\n"),
              HasSubstr("line 6, filter.trim: it is a whole number; true or false is allowed"));
  EXPECT_THAT(refusal(kStream + kFilter + "[[edge]]\ninput = 3\noutput = 1\n"),
              HasSubstr("line 7, edge.input: it is 3; 1 to 2 are allowed"));
  EXPECT_THAT(refusal(kStream + kFilter + "[[edge]]\ninput = 'x'\noutput = 1\n"),
              HasSubstr("line 7, edge.input: there is no channel 'x'"));
  EXPECT_THAT(refusal(kStream + kFilter +
                      "[[preset]]\nname = 'p'\n[[preset.edge]]\ninput = 1\n"
                      "output = 1\nfilter = 'b'\n"),
              HasSubstr("line 11, preset.edge.filter: there is no filter 'b'"));
  EXPECT_THAT(refusal(kStream + "[[filter]]\nname='e'\nequaliser=['PK Fc 1 Hz Gain 3 dB Q 0']\n"),
              HasSubstr("line 5, filter.equaliser: Q is '0'; a number from 0.01 to 1000"));
  EXPECT_THAT(refusal(kStream + "[[filter]]\nname='e'\nequaliser=['NO Fc 1 Hz']\n"),
              HasSubstr("line 5, filter.equaliser: filter type 'NO' is not supported"));
}

TEST(TomlConfig, RefusesUnknownKeys) {
  EXPECT_THAT(refusal(kStream + "bitrate = 3\n"),
              AllOf(HasSubstr("line 3, stream.bitrate: there is no such key here"),
                    HasSubstr("input_device")));
  EXPECT_THAT(refusal(kStream + "[reverb]\nx = 1\n"), HasSubstr("line 3, reverb: there is no"));
  // A key of another kind of filter has no use, so it is not known either.
  EXPECT_THAT(refusal(kStream + kFilter + "trim = true\n"), HasSubstr("line 6, filter.trim"));
}

TEST(TomlConfig, RefusesDuplicates) {
  EXPECT_THAT(refusal(kStream + kFilter + kFilter),
              HasSubstr("line 7, filter.name: 'a' is there twice"));
  EXPECT_THAT(refusal("[stream]\ninputs = ['l', 'l']\n"), HasSubstr("'l' is there twice"));
  EXPECT_THAT(refusal(kStream + "[[preset]]\nname='p'\nbypass=true\n[[preset]]\nname='p'\n"),
              HasSubstr("line 7, preset.name: 'p' is there twice"));
  EXPECT_THAT(refusal("[stream]\ninputs = 1\ninputs = 2\n"), StartsWith("run.toml, line 3: "));
}

TEST(TomlConfig, RefusesWhatContradictsItself) {
  EXPECT_THAT(refusal(kStream + kFilter + "gain = 1\ngain_db = 0\n"),
              HasSubstr("filter.gain: gain_db is there as well"));
  EXPECT_THAT(refusal(kStream + kFilter + "delay = 1\ndelay_ms = 0\n"),
              HasSubstr("filter.delay: delay_ms is there as well"));
  EXPECT_THAT(refusal(kStream + kFilter + "file = 'x'\n"), HasSubstr("one of file, taps"));
  EXPECT_THAT(refusal(kStream + "[[filter]]\nname = 'a'\n"), HasSubstr("what it is made of"));
  EXPECT_THAT(refusal(kStream + kFilter), HasSubstr("neither an [[edge]] nor a [[preset]]"));
  EXPECT_THAT(refusal(kStream + "[[preset]]\nname = 'p'\n"), HasSubstr("it connects nothing"));
  EXPECT_THAT(
      refusal("[stream]\ninputs=2\noutputs=1\n" + kFilter + "[[preset]]\nname='p'\nfilter='a'\n"),
      HasSubstr("2 inputs and 1 outputs"));
  EXPECT_THAT(refusal(kStream + "[engine]\nprecision='double'\nspectra='int16'\n"),
              HasSubstr("with precision 'double'"));
  EXPECT_THAT(refusal("filter = 3\n" + kStream), HasSubstr("line 1, filter: it is a whole number"));
  EXPECT_THAT(refusal("[engine]\n"), HasSubstr("[stream] is missing"));
  EXPECT_THAT(refusal("[stream]\n"), HasSubstr("inputs is missing"));
  EXPECT_THAT(refusal(kStream + "[[filter]]\nname='a'\nchain=['a']\n"),
              HasSubstr("no filter 'a' before this one"));
}

const std::string kServe = kStream + kFilter + "[[preset]]\nname='p'\nfilter='a'\n[serve]\n";
const std::string kOutput = "[[serve.output]]\nkind='raw'\nto='-'\n";

TEST(TomlConfig, ReadsWhatIsToBeServed) {
  const RunConfig config = parse_toml_config(
      kServe +
          "input = 'tcp://:4000'\nonce = true\nunit = 'uV'\ngaps = 'hold'\n"
          "bad_channels = ['in-2']\nreference = 'mean'\ndecimate = 6\n"
          "idle_ms = 250\nreference_largest = 800\n"
          "[serve.envelope]\nkind = 'power'\nwindow_ms = 20\n"
          "[serve.events]\nlevel = -3.5\ndirection = 'either'\nrefractory_ms = 2\n"
          "peak_ms = 0.5\n"
          "[[serve.output]]\nkind = 'raw'\nto = 'take.wav'\n"
          "[[serve.output]]\nkind = 'events'\nto = 'zmq:tcp://*:5'\ntopic = 'spikes'\n"
          "[[serve.output]]\nkind = 'filtered'\nto = 'tcp://[::1]:5'\nconnect = true\n"
          "[[serve.output]]\nkind = 'filtered'\nto = 'shm:probe'\ngroup_may_read = true\n"
          "[[serve.output]]\nkind = 'filtered'\nto = 'tcp://:0'\nqueue_mb = 12\n",
      "/data/run.toml");
  ASSERT_TRUE(config.serve);
  const ServeSettings& serve = *config.serve;
  EXPECT_EQ(serve.input.kind, PacketWay::Kind::kTcp);
  EXPECT_EQ(serve.input.name, ":4000");
  EXPECT_FALSE(serve.input.connects);
  EXPECT_TRUE(serve.once);
  EXPECT_EQ(serve.unit, "uV");
  EXPECT_EQ(serve.gaps, GapPolicy::kHold);
  EXPECT_THAT(serve.bad_channels, testing::ElementsAre(1));
  EXPECT_EQ(serve.reference, ReferenceKind::kMean);
  EXPECT_EQ(serve.decimate, 6u);
  ASSERT_TRUE(serve.envelope);
  EXPECT_EQ(serve.envelope->kind, EnvelopeKind::kPower);
  EXPECT_DOUBLE_EQ(serve.envelope->seconds, 0.02);
  ASSERT_TRUE(serve.events);
  EXPECT_EQ(serve.events->level, -3.5);
  EXPECT_EQ(serve.events->crossing, Crossing::kEither);
  EXPECT_DOUBLE_EQ(serve.events->refractory_seconds, 0.002);
  EXPECT_DOUBLE_EQ(serve.events->peak_seconds, 0.0005);
  EXPECT_DOUBLE_EQ(serve.idle_seconds, 0.25);
  EXPECT_EQ(serve.reference_largest, 800);
  ASSERT_EQ(serve.outputs.size(), 5u);
  EXPECT_EQ(serve.outputs[0].to.kind, PacketWay::Kind::kFile);
  EXPECT_EQ(serve.outputs[0].to.name, "/data/take.wav");
  EXPECT_EQ(serve.outputs[1].kind, ServedKind::kEvents);
  EXPECT_EQ(serve.outputs[1].to.name, "tcp://*:5");
  EXPECT_EQ(serve.outputs[1].to.topic, "spikes");
  EXPECT_TRUE(serve.outputs[2].to.connects);
  EXPECT_EQ(serve.outputs[3].to.kind, PacketWay::Kind::kSharedMemory);
  EXPECT_EQ(serve.outputs[3].to.name, "probe");
  EXPECT_TRUE(serve.outputs[3].to.group_may_read);
  EXPECT_EQ(serve.outputs[4].to.queue_bytes, 12'000'000u);

  const RunConfig plain = parse_toml_config(kServe + "input = '-'\n" + kOutput, "run.toml");
  EXPECT_FALSE(plain.serve->once);
  EXPECT_FALSE(plain.serve->events || plain.serve->envelope || plain.serve->reference);
  EXPECT_EQ(plain.serve->gaps, GapPolicy::kZero);
  EXPECT_DOUBLE_EQ(plain.serve->idle_seconds, 5);
  EXPECT_FALSE(plain.serve->reference_largest);
}

TEST(TomlConfig, RefusesWhatCannotBeServed) {
  const std::string input = "input = '-'\n";
  EXPECT_THAT(refusal(kServe + "input = '-'\nconnect = true\n" + kOutput),
              HasSubstr("serve.connect: it has no use here; allowed with tcp:// and zmq:"));
  EXPECT_THAT(refusal(kServe + "input = 'take.wav'\n" + kOutput), HasSubstr("it is 'take.wav'"));
  EXPECT_THAT(refusal(kServe + input + "topic = 'x'\n" + kOutput),
              HasSubstr("serve.topic: it has no use here"));
  EXPECT_THAT(refusal(kServe + input + "gaps = 'none'\n" + kOutput),
              HasSubstr("it is 'none'; zero, hold, reset, nan are allowed"));
  EXPECT_THAT(refusal(kServe + input + "decimate = 0\n" + kOutput),
              HasSubstr("it is 0; 1 to 65536 are allowed"));
  EXPECT_THAT(refusal(kServe + input + "[[serve.output]]\nto = '-'\n"),
              HasSubstr("serve.output: kind is missing"));
  EXPECT_THAT(refusal(kServe + input + "[[serve.output]]\nkind = 'raw'\n"),
              HasSubstr("serve.output: to is missing"));
  EXPECT_THAT(refusal(kServe + input + "[serve.events]\nsigmas = 0\n" + kOutput),
              HasSubstr("serve.events.sigmas: it is 0"));
}

/// A stream of six inputs that is to be served.
std::string serve_six(const std::string& inputs, const std::string& keys) {
  return "[stream]\ninputs = " + inputs + "\noutputs = 6\nrate = 30000\n" + kFilter +
         "[[preset]]\nname = 'p'\nfilter = 'a'\n[serve]\ninput = '-'\n" + keys + kOutput;
}

TEST(TomlConfig, FindsChannelsByNameNumberAndRange) {
  using testing::IsEmpty;
  const auto served = [](const std::string& inputs, const std::string& keys) {
    return *parse_toml_config(serve_six(inputs, keys), "run.toml").serve;
  };
  ServeSettings serve = served("6",
                               "reference = 'median'\nreference_groups = [['1-2'], [6, 'in-4', "
                               "'in-5']]\nbad_channels = ['2-3', 'in-5-in-6', 1]\n");
  EXPECT_THAT(serve.reference_groups, ElementsAre(ElementsAre(0, 1), ElementsAre(5, 3, 4)));
  EXPECT_THAT(serve.bad_channels, ElementsAre(1, 2, 4, 5, 0));

  // Names come before numbers, also names that are numbers, or look like ranges.
  serve = served("['6', '5', '2-3', 'a-b', 'c', '1']",
                 "reference = 'mean'\nreference_groups = [['6-5', '2-3'], ['a-b-c', 6]]\n");
  EXPECT_THAT(serve.reference_groups, ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4, 5)));

  EXPECT_THAT(served("6", "reference = 'mean'\n").reference_groups, IsEmpty());
}

TEST(TomlConfig, RefusesChannelsThatAreNotThereOrThereTwice) {
  const auto refused = [](const std::string& keys) {
    return refusal(serve_six("6", "reference = 'mean'\n" + keys));
  };
  EXPECT_THAT(refused("reference_groups = [['1-3'], ['3-6']]\n"),
              AllOf(StartsWith("run.toml, line 14, serve.reference_groups: "),
                    HasSubstr("input 3, 'in-3', is in groups 1 and 2; each may be in one")));
  EXPECT_THAT(refused("reference_groups = [['1-3', 2]]\n"),
              HasSubstr("group 1: input 2, 'in-2', is there twice; once is allowed"));
  EXPECT_THAT(refused("reference_groups = [[1], ['x']]\n"),
              HasSubstr("group 2: there is no input 'x'; names of [stream] inputs, numbers from 1 "
                        "to 6, and ranges such as '1-6' are allowed"));
  EXPECT_THAT(refused("reference_groups = [['4-7']]\n"), HasSubstr("there is no input '4-7'"));
  EXPECT_THAT(refused("reference_groups = [['0-2']]\n"), HasSubstr("there is no input '0-2'"));
  EXPECT_THAT(refused("reference_groups = [[7]]\n"), HasSubstr("there is no input '7'"));
  EXPECT_THAT(refused("reference_groups = [['3-1']]\n"),
              HasSubstr("group 1: '3-1' goes from channel 3 back to channel 1"));
  EXPECT_THAT(refused("reference_groups = ['1-3']\n"),
              HasSubstr("group 1: it is a text; an array of names and numbers is allowed"));
  EXPECT_THAT(refused("reference_groups = [[]]\n"), HasSubstr("group 1: it is empty"));
  EXPECT_THAT(refused("reference_groups = []\n"), HasSubstr("it is empty; an array of arrays"));
  EXPECT_THAT(refused("reference_groups = 4\n"), HasSubstr("it is a whole number; an array"));
  EXPECT_THAT(refused("reference_groups = [[1, 0]]\n"),
              HasSubstr("group 1: element 2 is a number below 1"));
  EXPECT_THAT(refused("reference_groups = [[1, 1.5]]\n"),
              HasSubstr("element 2 is a number; names"));
  EXPECT_THAT(refused("bad_channels = ['in-2', 2]\n"),
              HasSubstr("serve.bad_channels: input 2, 'in-2', is there twice"));
  EXPECT_THAT(refused("bad_channels = 'in-2'\n"), HasSubstr("serve.bad_channels: it is a text"));
  EXPECT_THAT(
      refusal(serve_six("6", "reference_groups = [[1]]\n")),
      HasSubstr("there is no reference; with reference = 'mean' or 'median' it is allowed"));
}

TEST(TomlConfig, NamesTheLineOfWhatIsNoToml) {
  EXPECT_THAT(refusal("[stream]\ninputs = \n"), StartsWith("run.toml, line "));
  EXPECT_THAT(refusal("[stream\n"), StartsWith("run.toml, line 1"));
  for (const char* header : {"[/]", "[[\\a]]", "[\xc3\xa9]", "[a.!]", "[ =]"}) {
    EXPECT_THAT(refusal(header), StartsWith("run.toml, line 1")) << header;
  }
  EXPECT_THAT(refusal("a = \"\xff\"\n"), StartsWith("run.toml, line 1"));
  EXPECT_THAT(refusal("a = \xc2\xa3\n"), StartsWith("run.toml, line 1"));
}

}  // namespace
}  // namespace firbank
