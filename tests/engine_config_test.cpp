// What an Engine refuses at construction, and what it tells about itself.
#include <functional>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"
#include "tests/support/engine_runner.hpp"

namespace firbank {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string refusal(const std::function<void(EngineConfig&)>& change,
                    const Routing& routing = Routing::rows(1, 1)) {
  EngineConfig config;
  change(config);
  try {
    const Engine engine(config, FilterBank({{1.0, 0.5}}), routing);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "accepted";
}

TEST(EngineConfig, NamesTheFieldTheValueAndTheRange) {
  EXPECT_EQ(refusal([](EngineConfig&) {}), "accepted");
  EXPECT_THAT(refusal([](EngineConfig& c) { c.block_frames = 0; }),
              AllOf(HasSubstr("block_frames"), HasSubstr("0"), HasSubstr("65536")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.max_frames = 3; }),
              AllOf(HasSubstr("max_frames"), HasSubstr("3")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.max_taps = 1; }),
              AllOf(HasSubstr("max_taps"), HasSubstr("2 taps")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.threads = 0; }),
              AllOf(HasSubstr("threads"), HasSubstr("0"), HasSubstr("64")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.threads = 65; }),
              AllOf(HasSubstr("threads"), HasSubstr("65"), HasSubstr("64")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.depth_blocks = c.ring_blocks; }),
              AllOf(HasSubstr("depth_blocks"), HasSubstr("8"), HasSubstr("ring_blocks")));
  EXPECT_THAT(refusal([](EngineConfig& c) {
                c.ring_blocks = 100;
                c.depth_blocks = 65;
              }),
              AllOf(HasSubstr("depth_blocks"), HasSubstr("65"), HasSubstr("64")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.ring_blocks = 1; }),
              AllOf(HasSubstr("ring_blocks"), HasSubstr("1"), HasSubstr("2")));
  EXPECT_THAT(refusal([](EngineConfig& c) { c.max_fill_frames = -1; }),
              AllOf(HasSubstr("max_fill_frames"), HasSubstr("-1")));
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double rate : {0.0, -48'000.0, kNan, std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(refusal([rate](EngineConfig& c) { c.sample_rate_hz = rate; }),
                HasSubstr("sample_rate_hz"));
  }
}

TEST(EngineConfig, RefusesARoutingThatNamesAMissingFilter) {
  EXPECT_THAT(refusal([](EngineConfig&) {}, Routing(1, 1, {{.filter = 3}})),
              AllOf(HasSubstr("filter"), HasSubstr("3")));
}

TEST(EngineConfig, NamesTheBackendsThatThereAre) {
  EXPECT_THAT(refusal([](EngineConfig& c) { c.backend = "gpu9000"; }),
              AllOf(HasSubstr("gpu9000"), HasSubstr("auto"), HasSubstr("cpu-scalar")));
  for (const BackendInfo& backend : list_backends()) {
    if (backend.available) continue;
    EXPECT_FALSE(backend.reason.empty()) << backend.name;
    EXPECT_THAT(refusal([&](EngineConfig& c) { c.backend = backend.name; }),
                AllOf(HasSubstr(backend.name), HasSubstr(backend.reason)));
  }
}

TEST(EngineConfig, AnEngineTellsWhatItBecame) {
  std::set<std::string> names;
  for (const BackendInfo& backend : list_backends()) {
    EXPECT_TRUE(names.insert(backend.name).second) << backend.name << " is listed twice";
    if (!backend.available) continue;
    EngineConfig config;
    config.block_frames = 100;
    config.backend = backend.name;
    config.threads = 2;
    const Engine engine(config, FilterBank({{1.0, 0.5}}), Routing::bank(3, 1));
    EXPECT_EQ(engine.backend(), backend.name);
    EXPECT_EQ(engine.instruction_set(), backend.instruction_set);
    EXPECT_EQ(engine.threads(), 2u);
    EXPECT_EQ(engine.inputs(), 3u);
    EXPECT_EQ(engine.outputs(), 3u);
    EXPECT_EQ(engine.latency_frames(), 0u);
    EXPECT_EQ(engine.tail_frames(), 1u);
    EXPECT_EQ(engine.position(), 0);
    EXPECT_GE(engine.max_frames(), 100u);
    EXPECT_EQ(engine.plan().call_frames, 100u);
  }
  ASSERT_FALSE(test::available_backends().empty());
  EXPECT_TRUE(names.count("cpu-scalar"));
  for (const char* name : {"auto", "cpu"}) {
    EngineConfig config;
    config.backend = name;
    const Engine engine(config, FilterBank({{1.0, 0.5}}), Routing::rows(1, 1));
    EXPECT_EQ(engine.backend(), test::available_backends().front());
  }
}

}  // namespace
}  // namespace firbank
