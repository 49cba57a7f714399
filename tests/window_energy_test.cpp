// Energies of sliding windows against plain sums, behind loud stretches and NaN, and far into a
// stream.
#include "engine/stages/window_energy.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

using test::Random;

long double plain_energy(const std::vector<double>& samples, std::size_t frame,
                         std::size_t length) {
  long double sum = 0;
  for (std::size_t n = frame + 1 < length ? 0 : frame + 1 - length; n <= frame; ++n) {
    sum += static_cast<long double>(samples[n]) * static_cast<long double>(samples[n]);
  }
  return sum;
}

TEST(WindowEnergy, IsAPlainSumInEveryFrameWhateverTheCalls) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const std::size_t channels = test::between(random, 1, 4);
    const std::size_t length = test::between(random, 1, seed % 5 == 0 ? 900 : 50);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", length " << length);
    constexpr std::size_t kFrames = 5'000;
    WindowEnergy energy(channels, length);
    for (int turn = 0; turn < 2; ++turn) {
      energy.reset();
      for (std::size_t c = 0; c < channels; ++c) {
        std::vector<double> in = test::random_samples(random, kFrames);
        for (std::size_t n = 0; n < kFrames; n += 1'000) in[n] = 1e9;  // 1e18 of energy
        in[2'500] = std::nan("");
        std::vector<double> out(kFrames);
        std::size_t position = 0;
        for (const std::size_t frames : test::random_calls(random, kFrames, 32, 700)) {
          energy.add(c, in.data() + position, frames, out.data() + position);
          position += frames;
        }
        const double bound = static_cast<double>(length + 2) * 0x1p-53;
        for (std::size_t n = 0; n < kFrames; ++n) {
          if (n >= 2'500 && n < 2'500 + length) {
            ASSERT_TRUE(std::isnan(out[n])) << "frame " << n;
            continue;
          }
          const auto expected = static_cast<double>(plain_energy(in, n, length));
          ASSERT_LE(std::abs(out[n] - expected), bound * expected) << "frame " << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace firbank
