#include "kernels/cuda/convolve_layout.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_cases.hpp"

namespace firbank::cuda {
namespace {

using test::between;
using test::Random;

/// Every filter on every channel: output channel x filters + filter.
SpectralBankShape bank_of(std::size_t channels, std::size_t filters) {
  SpectralBankShape shape;
  shape.partitions.assign(filters, {0, 1});
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t filter = 0; filter < filters; ++filter) {
      shape.terms.push_back({{channel, filter}});
    }
  }
  return shape;
}

ConvolveLayout layout_of(const SpectralBankShape& shape, std::size_t inputs,
                         std::uint32_t listeners) {
  return convolve_layout(shape, response_layout(shape), inputs, listeners);
}

TEST(ConvolveLayout, HasEveryOutputWithItsTermAndEveryInputOnce) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t inputs = between(random, 1, 6);
    SpectralBankShape shape;
    std::vector<std::uint32_t> spectrum;  // of each response, as the bank stores them
    std::uint32_t spectra = 0;
    for (std::size_t r = between(random, 1, 6); r > 0; --r) {
      const std::size_t partitions = between(random, 0, 3) > 0 ? 1 : 0;
      shape.partitions.push_back({0, partitions});
      spectrum.push_back(partitions == 0 ? kNone : spectra++);
    }
    for (std::size_t outputs = between(random, 1, 80); outputs > 0; --outputs) {
      auto& terms = shape.terms.emplace_back();
      if (between(random, 0, 4) == 0) continue;
      terms.push_back({between(random, 0, inputs - 1), between(random, 0, spectrum.size() - 1)});
    }
    const auto listeners = static_cast<std::uint32_t>(between(random, 1, 12));
    const ConvolveLayout layout = layout_of(shape, inputs, listeners);

    std::vector<int> heard(shape.terms.size());
    std::vector<int> kept(inputs);
    std::uint32_t listeners_before = listeners + listeners / 2;
    for (const ConvolveItem& item : layout.items) {
      EXPECT_LE(item.listeners, listeners_before) << "those with the most come first";
      listeners_before = item.listeners;
      if (item.keeps != 0) ++kept.at(item.input);
      std::uint32_t response_before = 0;
      for (std::uint32_t k = 0; k < item.listeners; ++k) {
        const Listener& listener = layout.listeners.at(item.first + k);
        EXPECT_GE(listener.response, response_before) << "the same ones lie side by side";
        response_before = listener.response;
        ++heard.at(listener.output);
        const auto& terms = shape.terms[listener.output];
        EXPECT_EQ(item.input, terms.empty() ? kNone : terms[0].input);
        EXPECT_EQ(listener.response, terms.empty() ? kNone : spectrum[terms[0].response]);
      }
    }
    EXPECT_TRUE(std::all_of(heard.begin(), heard.end(), [](int count) { return count == 1; }));
    EXPECT_TRUE(std::all_of(kept.begin(), kept.end(), [](int count) { return count == 1; }));
  }
}

/// Of a large device.
std::uint32_t listeners_of(std::size_t outputs, std::uint32_t bins) {
  return listeners_of_items(outputs, bins, 132);
}

TEST(ConvolveLayout, FillsADeviceAndTransformsFewInputsAnew) {
  // 10,000 filters on one input: work for four thread blocks of 512 threads a multiprocessor.
  const ConvolveLayout one = layout_of(bank_of(1, 10'000), 1, listeners_of(10'000, 4'096));
  EXPECT_GE(one.items.size(), 4U * 132);
  EXPECT_LE(one.items.size(), 5U * 132);
  EXPECT_LE(one.items.front().listeners - one.items.back().listeners, 1U);
  // 64 filters on each of 1,000 inputs: each is transformed once.
  for (const std::uint32_t bins : {2'048U, 4'096U}) {
    EXPECT_EQ(layout_of(bank_of(1'000, 64), 1'000, listeners_of(64'000, bins)).items.size(),
              1'000U);
  }
  // Few outputs: as many items as there can be.
  EXPECT_EQ(layout_of(bank_of(2, 50), 2, listeners_of(100, 4'096)).items.size(), 100U);
}

// What runs at about the same time meets the same responses.
TEST(ConvolveLayout, TakesTheSameResponsesOfAllInputsBeforeTheNextOnes) {
  const ConvolveLayout layout = layout_of(bank_of(7, 40), 7, 10);
  ASSERT_EQ(layout.items.size(), 28U);
  for (std::size_t i = 0; i < layout.items.size(); ++i) {
    EXPECT_EQ(layout.items[i].input, i % 7);
    EXPECT_EQ(layout.listeners[layout.items[i].first].response, i / 7 * 10);
  }
}

TEST(ConvolveLayout, CountsWindowsOnceAnItemAndResponsesOnceAnOutput) {
  constexpr std::uint64_t kSpectrum = 256 * 2 * sizeof(float);
  const BlockBytes bytes = convolve_bytes(layout_of(bank_of(3, 8), 3, 4), 256, 2 * sizeof(float));
  EXPECT_EQ(bytes.loaded, (6 + 24) * kSpectrum);
  EXPECT_EQ(bytes.floor, (3 + 8) * kSpectrum);
  EXPECT_EQ(bytes.cached, (24 - 8) * kSpectrum);
  const BlockBytes compact =
      convolve_bytes(layout_of(bank_of(3, 8), 3, 4), 256, 2 * sizeof(float), true);
  EXPECT_EQ(compact.loaded, 6 * kSpectrum + 24 * kSpectrum * 9 / 16);
}

}  // namespace
}  // namespace firbank::cuda
