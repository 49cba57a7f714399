// Decimation against a direct convolution in double precision of which each M-th frame is kept.
#include "engine/stages/decimator.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/reference.hpp"
#include "io/error.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/stage_runner.hpp"

namespace firbank {
namespace {

using test::FloatSignal;
using test::Random;
using testing::HasSubstr;

FloatSignal floats(const Signal& signal) {
  FloatSignal result;
  for (const auto& plane : signal) result.emplace_back(plane.begin(), plane.end());
  return result;
}

struct Decimated {
  Signal out;
  std::vector<std::int64_t> frames;  // of the input, that each output frame belongs to
};

/// Checks on the way that every call says which frames it gives.
Decimated decimate(Decimator& decimator, const FloatSignal& in,
                   const std::vector<std::size_t>& calls, std::int64_t first_frame) {
  Decimated result;
  result.out.resize(in.size());
  std::size_t position = 0;
  for (const std::size_t frames : calls) {
    const std::size_t room = decimator.most_frames(frames);
    FloatSignal out(in.size(), std::vector<float>(room + 1, 77));
    const auto input = test::from(in, position);
    const auto output = test::from(out, 0);
    const std::int64_t first = first_frame + static_cast<std::int64_t>(position);
    const DecimatedFrames got = decimator.process(input.data(), frames, first, output.data());
    EXPECT_LE(got.frames, room);
    const auto factor = static_cast<std::int64_t>(decimator.factor());
    EXPECT_EQ(got.first_frame % factor, 0);
    EXPECT_GE(got.first_frame, first);
    EXPECT_LT(got.first_frame, first + factor);
    for (std::size_t k = 0; k < got.frames; ++k) {
      result.frames.push_back(got.first_frame + static_cast<std::int64_t>(k) * factor);
    }
    for (std::size_t c = 0; c < in.size(); ++c) {
      EXPECT_EQ(out[c][got.frames], 77) << "wrote past the end";
      result.out[c].insert(result.out[c].end(), out[c].begin(),
                           out[c].begin() + static_cast<std::ptrdiff_t>(got.frames));
    }
    position += frames;
  }
  return result;
}

/// Each frame of `filtered` whose index is a multiple of the factor.
Decimated kept(const Signal& filtered, std::size_t factor, std::int64_t first_frame) {
  Decimated result;
  result.out.resize(filtered.size());
  const auto m = static_cast<std::int64_t>(factor);
  for (std::size_t n = 0; n < filtered[0].size(); ++n) {
    const std::int64_t frame = first_frame + static_cast<std::int64_t>(n);
    if (frame % m != 0) continue;
    result.frames.push_back(frame);
    for (std::size_t c = 0; c < filtered.size(); ++c) result.out[c].push_back(filtered[c][n]);
  }
  return result;
}

class DecimatorTest : public testing::TestWithParam<DecimatorForm> {};

TEST_P(DecimatorTest, KeepsFramesOfADirectConvolution) {
  const std::uint64_t seeds = test::full_sweep() ? 400 : 60;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const std::size_t channels = test::between(random, 1, 5);
    const std::size_t factor = seed % 7 == 0 ? 1 : test::between(random, 1, seed % 2 ? 12 : 70);
    const std::size_t frames = 4'000;
    const std::size_t longest = seed % 5 == 0 ? 1'500 : seed % 3 == 0 ? 5 : 300;
    std::vector<std::size_t> lengths;
    for (std::size_t c = 0; c < (seed % 2 ? channels : 1); ++c) {
      lengths.push_back(test::between(random, 1, longest));
    }
    const FilterBank bank = test::random_bank(random, lengths);
    const Signal in = test::random_signal(random, channels, frames);
    const std::int64_t first_frame =
        seed % 4 == 0 ? -static_cast<std::int64_t>(test::between(random, 0, 5'000))
                      : static_cast<std::int64_t>(test::between(random, 0, std::size_t{1} << 60));
    DecimatorConfig config{.channels = channels, .factor = factor};
    config.block_frames = test::between(random, 1, 400);
    config.form = GetParam();
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", factor " << factor << ", block "
                                    << config.block_frames << ", from frame " << first_frame);
    Decimator decimator(config, bank);
    EXPECT_EQ(decimator.form(), GetParam());
    const Decimated expected =
        kept(direct_convolution(in, bank, Routing::rows(channels, bank.size()), frames), factor,
             first_frame);
    const Decimated got =
        decimate(decimator, floats(in),
                 test::random_calls(random, frames, config.block_frames, 2'000), first_frame);
    ASSERT_EQ(got.frames, expected.frames);
    ASSERT_TRUE(test::follows(got.out, expected.out, 1e-6));
    EXPECT_EQ(decimator.gaps(), 0u);
  }
}

TEST_P(DecimatorTest, BeginsAnewBehindAGapOnTheSameGrid) {
  Random random(1);
  const FilterBank bank = test::random_bank(random, {100});
  const Signal in = test::random_signal(random, 2, 1'000);
  Decimator decimator({.channels = 2, .factor = 6, .block_frames = 50, .form = GetParam()}, bank);
  for (const std::int64_t first : {100, 5'003, 7'000, 6'500, 7'499}) {
    const Decimated got = decimate(decimator, floats(in), test::equal_calls(1'000, 37), first);
    const Decimated expected =
        kept(direct_convolution(in, bank, Routing::rows(2, 1), 1'000), 6, first);
    EXPECT_EQ(got.frames, expected.frames);
    EXPECT_TRUE(test::follows(got.out, expected.out, 1e-6)) << "from " << first;
  }
  EXPECT_EQ(decimator.gaps(), 4u);
  decimator.reset();
  const Decimated got = decimate(decimator, floats(in), {1'000}, 1);
  const Decimated expected = kept(direct_convolution(in, bank, Routing::rows(2, 1), 1'000), 6, 1);
  EXPECT_TRUE(test::follows(got.out, expected.out, 1e-6));
  EXPECT_EQ(decimator.gaps(), 4u) << "a reset is no gap";
}

TEST_P(DecimatorTest, SpoilsWhatADirectConvolutionSpoils) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t factor = test::between(random, 1, 9);
    const FilterBank bank = test::random_bank(random, {test::between(random, 1, 40)});
    Signal in = test::random_signal(random, 3, 600);
    for (int i = 0; i < 5; ++i) {
      in[1][test::between(random, 0, 599)] = i % 2 ? test::kNan : -test::kInfinity;
    }
    Decimator decimator({.channels = 3, .factor = factor, .form = GetParam()}, bank);
    const Decimated got =
        decimate(decimator, floats(in), test::random_calls(random, 600, 32, 90), 11);
    const Decimated expected =
        kept(direct_convolution(in, bank, Routing::rows(3, 1), 600), factor, 11);
    EXPECT_TRUE(test::follows(got.out, expected.out, 1e-6));
  }
}

// Such indices are nobody's; they must do no harm.
TEST_P(DecimatorTest, SurvivesTheEndsOfInt64) {
  Decimator decimator({.channels = 1, .factor = 3, .form = GetParam()}, FilterBank({{1.0}}));
  using Limits = std::numeric_limits<std::int64_t>;
  const std::vector<float> in(100, 1.0F);
  std::vector<float> out(100);
  const float* const input[] = {in.data()};
  float* const output[] = {out.data()};
  for (const std::int64_t first : {Limits::max() - 50, Limits::max(), Limits::min()}) {
    EXPECT_GE(decimator.process(input, 100, first, output).frames, 33u);
  }
  EXPECT_EQ(decimator.process(input, 2, -1, output).first_frame, 0);
}

INSTANTIATE_TEST_SUITE_P(Forms, DecimatorTest,
                         testing::Values(DecimatorForm::kDirect, DecimatorForm::kPolyphase,
                                         DecimatorForm::kWhole),
                         [](const auto& form) {
                           return form.param == DecimatorForm::kDirect      ? "Direct"
                                  : form.param == DecimatorForm::kPolyphase ? "Polyphase"
                                                                            : "Whole";
                         });

TEST(Decimator, ChoosesAFormByItsCost) {
  const auto chosen = [](std::size_t factor, std::size_t taps, std::size_t block) {
    Random random(1);
    return Decimator({.channels = 384, .factor = factor, .block_frames = block},
                     test::random_bank(random, {taps}))
        .form();
  };
  EXPECT_EQ(chosen(30, 512, 32), DecimatorForm::kDirect);
  EXPECT_EQ(chosen(12, 512, 300), DecimatorForm::kDirect);
  EXPECT_EQ(chosen(2, 8'192, 32), DecimatorForm::kWhole);
  EXPECT_EQ(chosen(6, 8'192, 3'000), DecimatorForm::kPolyphase);
}

TEST(Decimator, RefusesWhatItCannotDo) {
  const auto expect_refusal = [](const DecimatorConfig& config, std::size_t filters,
                                 const std::string& message) {
    try {
      const Decimator decimator(config,
                                FilterBank(std::vector<std::vector<double>>(filters, {1.0})));
      ADD_FAILURE() << "not refused: " << message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  expect_refusal({.channels = 0}, 1, "channels is 0");
  expect_refusal({.channels = 1, .factor = 0}, 1, "factor is 0; allowed: 1 to 65536");
  expect_refusal({.channels = 1, .factor = 65'537}, 1, "factor is 65537");
  expect_refusal({.channels = 1, .factor = 2, .block_frames = 0}, 1, "block_frames is 0");
  expect_refusal({.channels = 3, .factor = 2}, 2, "2 filters do not fit 3 channels");
}

}  // namespace
}  // namespace firbank
