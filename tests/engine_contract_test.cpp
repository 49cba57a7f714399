// The streaming contract: whatever the nominal block, the sizes of the calls, the routing, the
// backend and the threads, the output equals a direct convolution, frame for frame.
#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;

constexpr std::size_t kLongest = 48'000;  // taps
constexpr std::size_t kFrames = 54'000;   // longer than the longest filter

// Channel c and the filter of n taps are the same in every case, so that each pair is convolved by
// the oracle only once in this program.
const std::vector<double>& channel(std::size_t index) {
  static std::map<std::size_t, std::vector<double>> made;
  auto& samples = made[index];
  if (samples.empty()) {
    Random random(1'000'000 + index);
    samples = test::random_samples(random, kFrames);
  }
  return samples;
}

const std::vector<double>& filter(std::size_t taps) {
  static std::map<std::size_t, std::vector<double>> made;
  auto& filter = made[taps];
  if (filter.empty()) {
    Random random(2'000'000 + taps);
    filter = test::random_taps(random, taps);
  }
  return filter;
}

const std::vector<double>& filtered(std::size_t input, std::size_t taps) {
  static std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> made;
  auto& result = made[{input, taps}];
  if (result.empty()) {
    result = direct_convolution({channel(input)}, FilterBank({filter(taps)}), Routing::rows(1, 1),
                                kFrames)[0];
  }
  return result;
}

struct Case {
  const char* name;
  Routing routing;
};

class EngineContract : public testing::TestWithParam<std::size_t> {
 protected:
  // The eight filter lengths of a nominal block.
  static std::vector<std::size_t> lengths(std::size_t block) {
    return {1,
            2,
            std::max<std::size_t>(block, 2) - 1,
            block,
            block + 1,
            1'000,
            kLongest,
            2 * block + 3};
  }

  static Signal oracle(const Routing& routing, const std::vector<std::size_t>& lengths) {
    Signal out(routing.outputs(), std::vector<double>(kFrames, 0.0));
    for (const Edge& edge : routing.edges()) {
      const std::vector<double>& wet = filtered(edge.input, lengths[edge.filter]);
      for (std::size_t n = edge.delay; n < kFrames; ++n) {
        out[edge.output][n] += edge.gain * wet[n - edge.delay];
      }
    }
    return out;
  }

  template <class Sample>
  static void run(const Case& test_case, std::size_t block, const std::string& backend,
                  std::size_t threads, std::uint64_t seed) {
    SCOPED_TRACE(testing::Message()
                 << "routing " << test_case.name << ", backend " << backend << ", threads "
                 << threads << ", " << (sizeof(Sample) == 4 ? "float" : "double") << ", seed "
                 << seed);
    Random random(seed);
    const std::vector<std::size_t> taps = lengths(block);
    std::vector<std::vector<double>> filters;
    for (const std::size_t count : taps) filters.push_back(filter(count));
    EngineConfig config;
    config.block_frames = block;
    config.max_frames = block + test::between(random, 0, 700);
    config.threads = threads;
    test::use_backend(config, backend);
    BasicEngine<Sample> engine(config, FilterBank(filters), test_case.routing);
    Signal in;
    for (std::size_t i = 0; i < test_case.routing.inputs(); ++i) in.push_back(channel(i));
    const Signal out = test::run_process(
        engine, in, test::random_calls(random, kFrames, block, engine.max_frames()));
    EXPECT_TRUE(test::follows(out, oracle(test_case.routing, taps), test::kErrorLimit<Sample>));
  }
};

constexpr std::size_t kBlocks[] = {1, 7, 32, 63, 64, 100, 128, 300, 512, 1'024, 4'096};

TEST_P(EngineContract, EqualsDirectConvolutionForAnyCalls) {
  const std::size_t block = GetParam();
  Random random(block);
  const std::vector<Case> cases{
      {"rows", Routing::rows(8, 8)},
      {"bank", Routing::bank(2, 8)},
      {"matrix", Routing::matrix(2, 4, 8)},
      {"edges", test::random_routing(random, 3, 4, 8, 11, 3 * block + 50)},
  };
  // One thread and two take turns; the full sweep runs both everywhere. On a device short calls
  // take so long that only the full sweep has all routings of them; the others take turns.
  std::uint64_t seed = block * 1'000;
  for (const std::string& backend : test::available_backends()) {
    const bool is_slow = block < 128 && backend.starts_with("cuda") && !test::full_sweep();
    const auto place =
        std::find(std::begin(kBlocks), std::end(kBlocks), block) - std::begin(kBlocks);
    for (const Case& test_case : cases) {
      const auto turn = static_cast<std::size_t>(place) % cases.size();
      if (is_slow && &test_case != &cases[turn]) continue;
      for (std::size_t i = 0; i < (test::full_sweep() ? 2 : 1); ++i) {
        ++seed;
        run<float>(test_case, block, backend, 1 + (seed + i) % 2, seed);
        run<double>(test_case, block, backend, 1 + (seed + i + 1) % 2, seed);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Blocks, EngineContract, testing::ValuesIn(kBlocks),
                         testing::PrintToStringParamName());

// Everything at once, smaller: more seeds and shapes than the sweep above can afford.
template <class Sample>
class EngineCalls : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(EngineCalls, SampleTypes);

TYPED_TEST(EngineCalls, EqualDirectConvolutionInRandomCases) {
  const std::uint64_t seeds = test::full_sweep() ? 400 : 60;
  const std::vector<std::string> backends = test::available_backends();
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    std::vector<std::size_t> lengths(test::between(random, 1, 9));
    for (auto& length : lengths) length = test::between(random, 1, 1 + (seed % 4) * 500);
    const FilterBank bank = test::random_bank(random, lengths);
    const std::size_t frames = test::between(random, 1, 6'000);
    const Routing routing = test::random_routing(
        random, test::between(random, 1, 20), test::between(random, 1, 5), bank.size(),
        test::between(random, 1, 30), std::min<std::size_t>(600, frames / 2));
    EngineConfig config;
    config.block_frames = test::between(random, 1, 600);
    config.max_frames = config.block_frames + test::between(random, 0, 600);
    config.max_taps = bank.longest() + test::between(random, 0, 1) * 777;
    config.threads = 1 + seed % 2;
    test::use_backend(config, backends[seed % backends.size()]);
    config.goal = seed % 5 == 0 ? PlanGoal::kOffline : PlanGoal::kLive;
    // For files a device chooses long blocks, which short calls have it compute again and again.
    const bool is_file = config.goal == PlanGoal::kOffline;
    if (is_file) config.max_frames = 0;
    if (!is_file && seed % 4 == 1) {
      test::want_direct_form(config);
    } else if (is_file ? config.backend.starts_with("cuda") : seed % 3 != 0) {
      config.partition_frames = test::random_partition_frames(random, 100);
    }
    BasicEngine<TypeParam> engine(config, bank, routing);
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", backend " << config.backend << ", block "
                 << config.block_frames << ", " << engine.plan().describe());
    const Signal in = test::random_signal(random, routing.inputs(), frames);
    const auto calls = test::random_calls(random, frames, config.block_frames, engine.max_frames());
    const Signal out = test::run_process(engine, in, calls);
    EXPECT_TRUE(test::follows(out, direct_convolution(in, bank, routing, frames),
                              test::kErrorLimit<TypeParam>));
  }
}

// Several streams through one engine, each as if it were the first; with outputs enough for two
// blocks to be summed at once, and calls of whole blocks between others.
TYPED_TEST(EngineCalls, ForgetThePastAtAReset) {
  const std::vector<std::string> backends = test::available_backends();
  // Short calls again, which a device takes long for.
  const std::uint64_t usual = backends.front().starts_with("cuda") ? 20 : 60;
  const std::uint64_t seeds = test::full_sweep() ? 300 : usual;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const std::size_t longest = test::between(random, 1, 1'500);
    const FilterBank bank = test::random_bank(random, {longest, test::between(random, 1, longest)});
    const Routing routing =
        test::random_routing(random, 2, seed % 2 == 0 ? 36 : 3, 2, seed % 2 == 0 ? 50 : 5, 200);
    EngineConfig config;
    config.block_frames = test::between(random, 1, 100);
    config.max_frames = config.block_frames + test::between(random, 0, 200);
    config.threads = 1 + seed % 2;
    test::use_backend(config, backends[seed % backends.size()]);
    if (seed % 4 == 0) {
      config.partition_frames = {config.block_frames};  // calls are whole blocks
    } else if (seed % 4 != 1) {
      config.partition_frames = test::random_partition_frames(random, 64);
    }
    BasicEngine<TypeParam> engine(config, bank, routing);
    for (int stream = 0; stream < 4; ++stream) {
      SCOPED_TRACE(testing::Message()
                   << "seed " << seed << ", stream " << stream << ", backend " << config.backend
                   << ", block " << config.block_frames << ", " << engine.plan().describe());
      const std::size_t frames = test::between(random, 400, 3'000);
      const Signal in = test::random_signal(random, 2, frames);
      const auto calls = stream % 2 == 0 ? test::equal_calls(frames, config.block_frames)
                                         : test::random_calls(random, frames, config.block_frames,
                                                              engine.max_frames());
      EXPECT_TRUE(test::follows(test::run_process(engine, in, calls),
                                direct_convolution(in, bank, routing, frames),
                                test::kErrorLimit<TypeParam>));
      engine.reset();
    }
  }
}

TYPED_TEST(EngineCalls, MayWriteOverTheirInput) {
  for (const std::string& backend : test::available_backends()) {
    SCOPED_TRACE(testing::Message() << "seed 5, backend " << backend);
    Random random(5);
    const FilterBank bank = test::random_bank(random, {5, 700, 300});
    // Outputs 0 and 1 overwrite the inputs that outputs 1 and 2 still need.
    const Routing routing(2, 3,
                          {{.input = 0, .filter = 0, .output = 0},
                           {.input = 0, .filter = 1, .output = 1},
                           {.input = 1, .filter = 2, .output = 2, .delay = 3},
                           {.input = 1, .filter = 0, .output = 0}});
    EngineConfig config;
    config.block_frames = 64;
    config.max_frames = 200;
    test::use_backend(config, backend);
    BasicEngine<TypeParam> engine(config, bank, routing);
    const Signal in = test::random_signal(random, 2, 3'000);
    test::Planes<TypeParam> planes(in);
    test::Planes<TypeParam> third(1, 3'000);
    std::size_t position = 0;
    for (const std::size_t frames : test::random_calls(random, 3'000, 64, 200)) {
      TypeParam* const* inputs = planes.from(position);
      TypeParam* const outputs[] = {inputs[0], inputs[1], third.from(position)[0]};
      ASSERT_EQ(engine.process(inputs, outputs, frames), ProcessStatus::kOk);
      position += frames;
    }
    Signal out = planes.signal();
    out.push_back(third.signal()[0]);
    EXPECT_TRUE(test::follows(out, direct_convolution(in, bank, routing, 3'000),
                              test::kErrorLimit<TypeParam>));
  }
}

// The first tap of every filter meets the input frame in the very call that brings it.
TYPED_TEST(EngineCalls, PutOutTheFirstTapInTheCallThatBroughtTheImpulse) {
  for (const std::string& backend : test::available_backends()) {
    for (const std::size_t block : {1, 7, 64, 300, 1'024}) {
      SCOPED_TRACE(testing::Message() << "seed 7, backend " << backend << ", block " << block);
      Random random(7);
      const FilterBank bank = test::random_bank(random, {1, 64, 5'000});
      EngineConfig config;
      config.block_frames = block;
      test::use_backend(config, backend);
      BasicEngine<TypeParam> engine(config, bank, Routing::bank(1, 3));
      EXPECT_EQ(engine.latency_frames(), 0u);
      for (int i = 0; i < 40; ++i) {
        engine.reset();
        const std::size_t frames = test::between(random, 1, engine.max_frames());
        const std::size_t quiet = test::between(random, 0, frames - 1);
        test::Planes<TypeParam> in(1, frames);
        test::Planes<TypeParam> out(3, frames);
        in[0][quiet] = 1;
        ASSERT_EQ(engine.process(in.from(0), out.from(0), frames), ProcessStatus::kOk);
        for (std::size_t f = 0; f < bank.size(); ++f) {
          EXPECT_NEAR(out[f][quiet], bank.taps(f)[0], 4 * test::kErrorLimit<TypeParam>)
              << "filter " << f << ", frame " << quiet << " of " << frames;
          for (std::size_t n = 0; n < quiet; ++n) {
            ASSERT_NEAR(out[f][n], 0, 4 * test::kErrorLimit<TypeParam>) << "before the impulse";
          }
        }
      }
    }
  }
}

TYPED_TEST(EngineCalls, FlushPutsOutTheWholeTailAndNoMore) {
  for (const std::string& backend : test::available_backends()) {
    for (const std::size_t block : {1, 64, 300}) {
      SCOPED_TRACE(testing::Message() << "seed 9, backend " << backend << ", block " << block);
      Random random(9);
      const FilterBank bank = test::random_bank(random, {3, 1'500});
      const Routing routing(1, 2, {{.filter = 1, .output = 0, .delay = 70}, {.output = 1}});
      EngineConfig config;
      config.block_frames = block;
      config.max_frames = 500;
      test::use_backend(config, backend);
      BasicEngine<TypeParam> engine(config, bank, routing);
      EXPECT_EQ(engine.tail_frames(), 1'500u + 70 - 1);
      for (const std::size_t frames : {1'000, 37}) {  // the engine serves a stream after its end
        const Signal in = test::random_signal(random, 1, frames);
        const auto calls = test::random_calls(random, frames, block, 500);
        const Signal body = test::run_process(engine, in, calls);
        const Signal tail = test::run_flush(engine, test::between(random, 1, 500));
        ASSERT_EQ(tail[0].size(), engine.tail_frames());
        EXPECT_TRUE(
            test::follows(test::joined(body, tail),
                          direct_convolution(in, bank, routing, frames + engine.tail_frames()),
                          test::kErrorLimit<TypeParam>));
        test::Planes<TypeParam> more(2, 10);
        EXPECT_EQ(engine.flush(more.from(0), 10), 0u);
        engine.reset();
      }
    }
  }
}

TYPED_TEST(EngineCalls, ResetForgetsTheInputAndCountsOn) {
  for (const std::string& backend : test::available_backends()) {
    for (const std::size_t taps : {3, 2'000}) {
      SCOPED_TRACE(testing::Message() << "seed 11, backend " << backend << ", taps " << taps);
      Random random(11);
      const FilterBank bank = test::random_bank(random, {taps});
      const Routing routing = Routing::rows(2, 1);
      EngineConfig config;
      config.block_frames = 64;
      config.max_frames = 150;
      test::use_backend(config, backend);
      BasicEngine<TypeParam> engine(config, bank, routing);
      std::int64_t position = 0;
      for (int i = 0; i < 8; ++i) {
        const std::size_t frames = test::between(random, 1, 3'000);
        const Signal in = test::random_signal(random, 2, frames);
        const Signal out =
            test::run_process(engine, in, test::random_calls(random, frames, 64, 150));
        EXPECT_TRUE(test::follows(out, direct_convolution(in, bank, routing, frames),
                                  test::kErrorLimit<TypeParam>))
            << "stream " << i;
        position += static_cast<std::int64_t>(frames);
        EXPECT_EQ(engine.position(), position);
        engine.reset();
        EXPECT_EQ(engine.position(), position);
      }
    }
  }
}

TYPED_TEST(EngineCalls, AreCountedAndRefusedWhenTooLong) {
  EngineConfig config;
  config.block_frames = 32;
  config.max_frames = 48;
  const FilterBank bank({{1.0, 0.5}});
  BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
  ASSERT_EQ(engine.max_frames(), 48u);
  test::Planes<TypeParam> in(1, 49);
  test::Planes<TypeParam> out(1, 49);
  std::fill(in[0].begin(), in[0].end(), TypeParam{1});

  EXPECT_EQ(engine.process(in.from(0), out.from(0), 48), ProcessStatus::kOk);
  std::fill(out[0].begin(), out[0].end(), TypeParam{7});
  EXPECT_EQ(engine.process(in.from(0), out.from(0), 0), ProcessStatus::kOk);
  EXPECT_EQ(out[0][0], TypeParam{7}) << "a call of no frames wrote one";
  EXPECT_EQ(engine.process(in.from(0), out.from(0), 49), ProcessStatus::kTooManyFrames);
  EXPECT_EQ(out[0], std::vector<TypeParam>(49, TypeParam{0}));
  EXPECT_EQ(engine.position(), 48) << "a refused call was counted";
  EXPECT_EQ(engine.process(in.from(0), out.from(0), 1), ProcessStatus::kOk);
  EXPECT_NEAR(out[0][0], 1.5, 1e-5) << "a refused call was heard";
  EXPECT_EQ(engine.position(), 49);
  EXPECT_EQ(engine.stats().frames, 49);
}

// Two engines never share state, and the same calls give the same bits.
TYPED_TEST(EngineCalls, AreReproducibleBitForBit) {
  Random random(13);
  const FilterBank bank = test::random_bank(random, {900, 30});
  EngineConfig config;
  config.block_frames = 100;
  const Signal in = test::random_signal(random, 2, 4'000);
  const auto calls = test::random_calls(random, 4'000, 100, 100);
  BasicEngine<TypeParam> one(config, bank, Routing::rows(2, 2));
  BasicEngine<TypeParam> other(config, bank, Routing::rows(2, 2));
  const Signal first = test::run_process(one, in, calls);
  EXPECT_EQ(first, test::run_process(other, in, calls));
  one.reset();
  EXPECT_TRUE(test::follows(test::run_process(one, in, calls), first, 1e-6));
}

TYPED_TEST(EngineCalls, LeaveUnconnectedOutputsSilent) {
  Random random(15);
  const FilterBank bank = test::random_bank(random, {400});
  EngineConfig config;
  config.block_frames = 64;
  BasicEngine<TypeParam> engine(config, bank, Routing(2, 3, {{.input = 1, .output = 1}}));
  const Signal in = test::random_signal(random, 2, 1'000);
  const Signal out = test::run_process(engine, in, test::equal_calls(1'000, 64));
  EXPECT_EQ(out[0], std::vector<double>(1'000, 0.0));
  EXPECT_EQ(out[2], std::vector<double>(1'000, 0.0));
  EXPECT_TRUE(test::follows(
      out, direct_convolution(in, bank, Routing(2, 3, {{.input = 1, .output = 1}}), 1'000),
      test::kErrorLimit<TypeParam>));
}

// What was loud leaves nothing behind where memory is used again and again.
TYPED_TEST(EngineCalls, AreExactSoonAfterSamplesThatWereFarLouder) {
  constexpr std::size_t kTaps = 1'000;
  constexpr std::size_t kLoud = 96'000;
  constexpr std::size_t kQuiet = 30'000;
  for (const std::string& backend : test::available_backends()) {
    SCOPED_TRACE(testing::Message() << "seed 17, backend " << backend);
    Random random(17);
    const FilterBank bank = test::random_bank(random, {kTaps});
    const Routing rows = Routing::rows(1, 1);
    EngineConfig config;
    config.block_frames = 256;
    config.max_taps = 8 * kTaps;  // memory that is longer than what is heard
    test::use_backend(config, backend);
    BasicEngine<TypeParam> engine(config, bank, rows);
    const std::size_t block = engine.plan().levels.back().block_frames;
    ASSERT_EQ(engine.plan().kind, PlanKind::kPartitioned);
    Signal loud = test::random_signal(random, 1, kLoud);
    for (double& sample : loud[0]) sample = static_cast<float>(sample * 1e20);
    Signal quiet = test::random_signal(random, 1, kQuiet);
    for (double& sample : quiet[0]) sample = static_cast<float>(sample * 1e-3);
    const std::size_t call = std::min(block / 4, engine.max_frames());
    test::run_process(engine, loud, test::equal_calls(kLoud, call));
    const Signal out = test::run_process(engine, quiet, test::equal_calls(kQuiet, call));
    const Signal oracle = direct_convolution(quiet, bank, rows, kQuiet);
    // A block that holds a loud sample is heard as long as the filter reaches from its end.
    for (std::size_t first = kTaps + 2 * block; first + block <= kQuiet; first += block) {
      ASSERT_TRUE(test::follows(test::cut(out, first, block), test::cut(oracle, first, block),
                                4 * test::kErrorLimit<TypeParam>))
          << "frames from " << first;
    }
  }
}

TYPED_TEST(EngineCalls, HaveNoTailAfterReset) {
  for (const std::size_t taps : {std::size_t{3}, std::size_t{900}}) {
    SCOPED_TRACE(testing::Message() << "seed 19, taps " << taps);
    Random random(19);
    const FilterBank bank = test::random_bank(random, {taps});
    EngineConfig config;
    config.block_frames = 64;
    BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
    test::Planes<TypeParam> planes(test::random_signal(random, 1, 64));
    EXPECT_EQ(engine.flush(planes.from(0), 64), 0u) << "a tail without any input";
    engine.process(planes.from(0), planes.from(0), 50);
    engine.reset();
    EXPECT_EQ(engine.flush(planes.from(0), 64), 0u);
    engine.process(planes.from(0), planes.from(0), 50);
    EXPECT_EQ(engine.flush(planes.from(0), 1), 1u);
    engine.reset();
    EXPECT_EQ(engine.flush(planes.from(0), 64), 0u);
  }
}

TYPED_TEST(EngineCalls, OfNoFramesChangeNothing) {
  for (const std::size_t taps : {std::size_t{3}, std::size_t{900}}) {
    SCOPED_TRACE(testing::Message() << "seed 21, taps " << taps);
    Random random(21);
    const FilterBank bank = test::random_bank(random, {taps});
    EngineConfig config;
    config.block_frames = 64;
    BasicEngine<TypeParam> engine(config, bank, Routing::rows(1, 1));
    test::Planes<TypeParam> planes(test::random_signal(random, 1, 64));
    EXPECT_EQ(engine.process(planes.from(0), planes.from(0), 0), ProcessStatus::kOk);
    EXPECT_EQ(engine.flush(planes.from(0), 64), 0u) << "a tail without any input";
    EXPECT_EQ(engine.stats().calls, 0u);

    engine.process(planes.from(0), planes.from(0), 64);
    EXPECT_EQ(engine.flush(planes.from(0), 1), 1u);
    engine.process(planes.from(0), planes.from(0), 0);
    EXPECT_EQ(test::run_flush(engine, 64)[0].size(), taps - 2) << "the tail began anew";
    const std::uint64_t calls = engine.stats().calls;
    engine.process(planes.from(0), planes.from(0), 0);
    EXPECT_EQ(engine.flush(planes.from(0), 64), 0u) << "the tail came twice";
    EXPECT_EQ(engine.stats().calls, calls);
    EXPECT_EQ(engine.stats().frames, static_cast<std::int64_t>(64 + taps - 1));
    EXPECT_EQ(engine.position(), engine.stats().frames);
  }
}

}  // namespace
}  // namespace firbank
