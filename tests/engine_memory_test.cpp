// What an engine allocates is what its plan says, and not much more than its spectra.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

#include "engine/engine.hpp"
#include "tests/support/counting_new.hpp"
#include "tests/support/random_cases.hpp"

namespace firbank {
namespace {

struct Case {
  const char* name;
  std::size_t block_frames;
  std::size_t taps;
  Routing routing;
  std::size_t threads = 1;
};

std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const std::size_t block : {64, 128, 256, 512, 1'024}) {
    cases.push_back({"a stereo reverb", block, 480'000, Routing::rows(2, 2)});
  }
  cases.push_back({"a matrix", 128, 8'192, Routing::matrix(8, 8, 64)});
  cases.push_back({"a bank", 256, 1'024, Routing::bank(1, 1'000)});
  cases.push_back({"rows", 32, 512, Routing::rows(384, 384)});
  cases.push_back({"rows of whole blocks", 256, 512, Routing::rows(384, 384)});
  cases.push_back({"a stereo reverb, 8 threads", 64, 480'000, Routing::rows(2, 2), 8});
  return cases;
}

FilterBank bank_for(const Case& shape) {
  std::size_t filters = 0;
  for (const Edge& edge : shape.routing.edges()) filters = std::max(filters, edge.filter + 1);
  test::Random random(1);
  return test::random_bank(random, std::vector<std::size_t>(filters, shape.taps));
}

TEST(EngineMemory, IsWhatThePlanSays) {
  if (test::heap_bytes() == 0) GTEST_SKIP() << "this heap does not say what is allocated";
  for (const Case& shape : cases()) {
    SCOPED_TRACE(testing::Message() << shape.name << ", block " << shape.block_frames);
    const FilterBank bank = bank_for(shape);
    EngineConfig config;
    config.block_frames = shape.block_frames;
    config.threads = shape.threads;
    const std::size_t before = test::heap_bytes();
    const Engine engine(config, bank, shape.routing);
    const auto allocated = static_cast<double>(test::heap_bytes() - before);
    const auto planned = static_cast<double>(engine.plan().memory_samples * sizeof(float));
    // Besides samples there are lists of filters and edges, and padding.
    EXPECT_GE(allocated, 0.98 * planned);
    EXPECT_LE(allocated, 1.03 * planned + 5e5);
  }
}

/// 8 bytes for each tap of a filter, and for each of the longest filter of an input: what a
/// spectrum of a response and of the past takes, without any padding. Of one thread, and of filters
/// that are long beside a block.
TEST(EngineMemory, IsLittleMoreThanTheSpectraOfLongFilters) {
  for (const Case& shape : cases()) {
    if (shape.taps < 8'192 || shape.threads > 1) continue;
    SCOPED_TRACE(testing::Message() << shape.name << ", block " << shape.block_frames);
    const FilterBank bank = bank_for(shape);
    EngineConfig config;
    config.block_frames = shape.block_frames;
    const Engine engine(config, bank, shape.routing);
    const auto spectra =
        static_cast<double>(8 * shape.taps * (bank.size() + shape.routing.inputs()));
    EXPECT_LE(static_cast<double>(engine.plan().memory_samples * sizeof(float)), 1.3 * spectra)
        << engine.plan().describe();
  }
}

}  // namespace
}  // namespace firbank
