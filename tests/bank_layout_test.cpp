#include "kernels/cuda/bank_layout.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank::cuda {
namespace {

using test::between;
using test::Random;

constexpr std::size_t kComplexFloat = 2 * sizeof(float);
constexpr std::uint32_t kMultiprocessors = 132;

/// `inputs` x `outputs` responses of `taps` taps in partitions of `block`; each output hears all
/// inputs, or only its own when `rows`.
SpectralBankShape shape_of(std::size_t inputs, std::size_t outputs, std::size_t taps,
                           std::size_t block, bool rows) {
  SpectralBankShape shape;
  shape.terms.resize(outputs);
  for (std::size_t output = 0; output < outputs; ++output) {
    for (std::size_t input = 0; input < inputs; ++input) {
      if (rows && input != output) continue;
      shape.terms[output].push_back({input, shape.partitions.size()});
      shape.partitions.push_back({0, (taps + block - 1) / block});
    }
  }
  return shape;
}

double ratio_to_floor(const SpectralBankShape& shape, std::uint32_t bins) {
  const BankLayout layout = bank_layout(shape);
  const std::uint32_t splits = accumulate_splits(layout, bins, kComplexFloat, kMultiprocessors);
  const BlockBytes bytes = block_bytes(layout, LevelKind::kFirst, bins, kComplexFloat, splits);
  return static_cast<double>(bytes.loaded) / static_cast<double>(bytes.floor);
}

TEST(BankLayout, PutsEveryTermOfEveryOutputIntoOneTile) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    SpectralBankShape shape;
    const std::size_t responses = between(random, 1, 20);
    for (std::size_t r = 0; r < responses; ++r) {
      const std::size_t first = between(random, 0, 5);
      shape.partitions.push_back({first, between(random, first + 1, 9)});
    }
    shape.terms.resize(between(random, 1, 40));
    for (std::vector<ResponseTerm>& terms : shape.terms) {
      for (std::size_t t = between(random, 0, 3); t > 0; --t) {
        terms.push_back({between(random, 0, 2), between(random, 0, responses - 1)});
      }
    }
    const BankLayout layout = bank_layout(shape);

    std::set<std::uint32_t> seen(layout.tile_outputs.begin(), layout.tile_outputs.end());
    EXPECT_EQ(seen.size(), shape.terms.size());
    EXPECT_EQ(layout.tile_outputs.size(), shape.terms.size());
    for (std::size_t output = 0; output < shape.terms.size(); ++output) {
      const Tile& tile = layout.tiles[layout.output_tile[output]];
      const std::uint32_t position = layout.output_position[output];
      ASSERT_LT(position, tile.outputs);
      ASSERT_LE(tile.outputs, kTileOutputs);
      EXPECT_EQ(layout.tile_outputs[tile.first_output + position], output);
      ASSERT_EQ(tile.terms, shape.terms[output].size());
      std::multiset<std::pair<std::size_t, std::uint64_t>> expected;
      std::multiset<std::pair<std::size_t, std::uint64_t>> actual;
      for (std::uint32_t t = 0; t < tile.terms; ++t) {
        const ResponseTerm& wanted = shape.terms[output][t];
        expected.insert({wanted.input, layout.response_spectra[wanted.response]});
        const Term& term = layout.terms[tile.first_term + t * tile.outputs + position];
        actual.insert({term.input, term.spectra});
        const Term& neighbour = layout.terms[tile.first_term + t * tile.outputs];
        EXPECT_EQ(term.input, neighbour.input);
      }
      EXPECT_EQ(actual, expected);
    }
  }
}

TEST(BankLayout, LetsOutputsShareTheReadingOfTheirInputs) {
  // A matrix, one input to many outputs, and rows, which share nothing.
  EXPECT_EQ(bank_layout(shape_of(4, 16, 100, 10, false)).tiles.size(), 2u);
  EXPECT_EQ(bank_layout(shape_of(1, 20, 100, 10, false)).tiles.size(), 3u);
  EXPECT_EQ(bank_layout(shape_of(16, 16, 100, 10, true)).tiles.size(), 16u);
}

// 64 x 64 responses of 96,000 taps in blocks of 128; 4,096 and 10,000 rows of 1,024 taps in blocks
// of 32; one input through 10,000 filters of 4,096 taps in blocks of 256.
TEST(BankLayout, ReadsLittleMoreThanTheFloorInLargeCases) {
  EXPECT_LE(ratio_to_floor(shape_of(64, 64, 96'000, 128, false), 128), 1.2);
  EXPECT_LE(ratio_to_floor(shape_of(4'096, 4'096, 1'024, 32, true), 32), 1.2);
  EXPECT_LE(ratio_to_floor(shape_of(10'000, 10'000, 1'024, 32, true), 32), 1.2);
  EXPECT_LE(ratio_to_floor(shape_of(1, 10'000, 4'096, 256, false), 256), 1.2);
}

TEST(BankLayout, CountsTheFloorOfAMatrixByHand) {
  const BankLayout layout = bank_layout(shape_of(2, 3, 40, 8, false));
  const BlockBytes bytes = block_bytes(layout, LevelKind::kFirst, 8, kComplexFloat, 1);
  // Six responses and two delay lines of five partitions, and three sums.
  EXPECT_EQ(bytes.floor, (6 * 5 + 2 * 5 + 3) * 8 * kComplexFloat);
  // Each response once, and each output's partition 0 with its spectrum; of each delay line four
  // partitions once for the one tile; three sums.
  EXPECT_EQ(bytes.loaded, (6 * 5 + 6 + 2 * 4 + 3) * 8 * kComplexFloat);
}

TEST(BankLayout, CountsNoSumsOfASinglePartition) {
  const BankLayout layout = bank_layout(shape_of(2, 3, 8, 8, false));
  const BlockBytes bytes = block_bytes(layout, LevelKind::kSingle, 8, kComplexFloat, 1);
  // Six responses and two spectra of inputs, of which each output reads both.
  EXPECT_EQ(bytes.floor, (6 + 2) * 8 * kComplexFloat);
  EXPECT_EQ(bytes.loaded, (6 + 6) * 8 * kComplexFloat);
}

TEST(BankLayout, CountsTheBytesOfALaterLevelByHand) {
  const BankLayout layout = bank_layout(shape_of(2, 3, 40, 8, false));
  const BlockBytes bytes = block_bytes(layout, LevelKind::kLater, 8, kComplexFloat, 2);
  // Six responses of five partitions; three outputs' answers, in real numbers.
  const std::uint64_t answers = 3 * 8 * sizeof(float);
  EXPECT_EQ(bytes.floor, (6 * 5 + 2 * 5) * 8 * kComplexFloat + answers);
  // Each sum is read once, and its two shares.
  EXPECT_EQ(bytes.loaded, (6 * 5 + 2 * 5 + 3 * (1 + 2)) * 8 * kComplexFloat + answers);
}

TEST(BankLayout, CutsSumsInSharesOnlyWhereTheDeviceWouldIdle) {
  EXPECT_GT(accumulate_splits(bank_layout(shape_of(64, 64, 96'000, 128, false)), 128, kComplexFloat,
                              kMultiprocessors),
            8u);
  EXPECT_EQ(accumulate_splits(bank_layout(shape_of(10'000, 10'000, 1'024, 32, true)), 32,
                              kComplexFloat, kMultiprocessors),
            1u);
  EXPECT_EQ(accumulate_splits(bank_layout(shape_of(1, 1, 10, 8, true)), 8, kComplexFloat,
                              kMultiprocessors),
            1u);
}

}  // namespace
}  // namespace firbank::cuda
