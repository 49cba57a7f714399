// What partitions of several sizes cost, call by call, and that a call's cost does not depend on
// what else happens to be due.
#include "engine/deferred_level.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "engine/fail_over.hpp"
#include "engine/planner.hpp"
#include "tests/support/counting_backend.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/swaps.hpp"

namespace firbank {
namespace {

using test::Random;

struct Case {
  std::size_t block = 64;
  std::size_t inputs = 1;
  std::size_t outputs = 1;
  std::vector<std::size_t> partition_frames{};  // chosen, where empty
  std::size_t taps = 0;
};

/// A matrix of equal filters, run in calls of the nominal size on the best instruction set here.
class Rig {
 public:
  Rig(const Case& which, std::uint64_t seed, std::size_t threads = 1)
      : which_(which),
        random_(seed),
        routing_(Routing::matrix(which.inputs, which.outputs, which.inputs * which.outputs)),
        bank_(any_bank()) {
    config_.block_frames = which.block;
    config_.partition_frames = which.partition_frames;
    config_.threads = threads;
    plan_ = choose_plan(config_, bank_, routing_);
    convolver_ = std::make_unique<FailOver<float>>(backend_, plan_, config_, bank_, routing_);
  }

  FilterBank any_bank() {
    return test::random_bank(random_,
                             std::vector<std::size_t>(which_.inputs * which_.outputs, which_.taps));
  }

  const PartitionPlan& plan() const { return plan_; }
  const Routing& routing() const { return routing_; }
  const FilterBank& bank() const { return bank_; }
  FailOver<float>& convolver() { return *convolver_; }
  const Signal& heard() const { return heard_; }
  const Signal& out() const { return out_; }

  /// Estimated work of each of the next calls.
  std::vector<double> run(std::size_t calls) {
    const Signal in = test::random_signal(random_, which_.inputs, calls * which_.block);
    test::Planes<float> input(in);
    test::Planes<float> output(which_.outputs, calls * which_.block);
    std::vector<double> work;
    for (std::size_t call = 0; call < calls; ++call) {
      const double before = backend_->counts().work_ns;
      EXPECT_EQ(convolver_->process(input.from(call * which_.block),
                                    output.from(call * which_.block), which_.block),
                ProcessStatus::kOk);
      work.push_back(backend_->counts().work_ns - before);
    }
    heard_ = heard_.empty() ? in : test::joined(heard_, in);
    out_ = out_.empty() ? output.signal() : test::joined(out_, output.signal());
    return work;
  }

  /// As if all calls so far had not been, but for the engine and its past.
  void forget() {
    heard_.clear();
    out_.clear();
  }

  /// Calls until every level has met all its partitions.
  std::size_t filling_calls() const {
    return (plan_.max_response + 4 * plan_.levels.back().block_frames) / which_.block + 1;
  }
  /// Levels take two turns to be where they were: their bins are summed for two blocks at a time.
  std::size_t cycle_calls() const {
    std::size_t frames = which_.block;
    for (const LevelPlan& level : plan_.levels) frames = std::lcm(frames, 2 * level.block_frames);
    return frames / which_.block;
  }

 private:
  Case which_;
  Random random_;
  Routing routing_;
  FilterBank bank_;
  EngineConfig config_;
  PartitionPlan plan_;
  std::shared_ptr<test::CountingBackend> backend_ = std::make_shared<test::CountingBackend>("cpu");
  std::unique_ptr<FailOver<float>> convolver_;
  Signal heard_;
  Signal out_;
};

/// Calls swap(), runs `calls` calls and compares all that was put out so far with the mix of two
/// direct convolutions. Returns the work of each call.
std::vector<double> run_swap(Rig& rig, std::int64_t live, std::size_t fade, std::size_t calls) {
  const FilterBank next = rig.any_bank();
  rig.convolver().swap(next, live, fade);
  const std::vector<double> work = rig.run(calls);
  EXPECT_EQ(rig.convolver().live_frame(1), live);
  const std::size_t frames = rig.heard()[0].size();
  const Signal before = direct_convolution(rig.heard(), rig.bank(), rig.routing(), frames);
  const Signal after = direct_convolution(rig.heard(), next, rig.routing(), frames);
  EXPECT_TRUE(test::follows(rig.out(), test::with_changes(before, {{after, live, fade}}), 1e-6));
  return work;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double most(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

const std::vector<Case>& long_cases() {
  static const std::vector<Case> kCases{
      {.block = 64, .inputs = 2, .outputs = 2, .taps = 60'000},
      {.block = 256, .taps = 100'000},
      {.block = 300, .inputs = 2, .outputs = 1, .taps = 40'000},
  };
  return kCases;
}

const std::vector<Case>& short_cases() {
  static const std::vector<Case> kCases{
      {.block = 64, .inputs = 3, .outputs = 7, .partition_frames = {64, 512, 2'048}, .taps = 9'000},
      {.block = 48, .partition_frames = {48, 48 * 8}, .taps = 3'000},
      // Calls shorter than blocks.
      {.block = 32, .inputs = 2, .outputs = 3, .partition_frames = {128, 1'024}, .taps = 9'000},
  };
  return kCases;
}

void expect_flat(const Case& which, double most_over_mean) {
  Rig rig(which, 1);
  SCOPED_TRACE(testing::Message() << "seed 1, block " << which.block << ", "
                                  << rig.plan().describe());
  ASSERT_GE(rig.plan().levels.size(), 2u);
  rig.run(rig.filling_calls());
  const std::vector<double> work = rig.run(2 * rig.cycle_calls());
  EXPECT_LE(most(work), most_over_mean * mean(work));
  // The same, call by call, in every cycle.
  for (std::size_t call = 0; call < rig.cycle_calls(); ++call) {
    ASSERT_NEAR(work[call], work[call + rig.cycle_calls()], 1e-6 * mean(work)) << call;
  }
}

TEST(DeferredLevel, MakesEveryCallOfTheNominalSizeCostAboutTheSame) {
  for (const Case& which : long_cases()) expect_flat(which, 1.5);
  for (const Case& which : short_cases()) expect_flat(which, 1.5);
  // One step of a long transform is much of a small call.
  expect_flat({.block = 16, .inputs = 2, .outputs = 2, .taps = 20'000}, 1.8);
  expect_flat({.block = 32, .taps = 45'940}, 1.8);
  expect_flat({.block = 32, .taps = 200'000}, 1.8);
}

// Known early enough, a new bank costs no call more than the work of both banks.
TEST(DeferredLevel, HasNoPeakWhenASwapGoesLiveThatWasAnnounced) {
  for (const Case& which : short_cases()) {
    for (const std::size_t fade : {std::size_t{0}, 3 * which.block + 5}) {
      Rig rig(which, 2);
      SCOPED_TRACE(testing::Message() << "seed 2, block " << which.block << ", fade " << fade
                                      << ", " << rig.plan().describe());
      rig.run(rig.filling_calls());
      const std::vector<double> alone = rig.run(rig.cycle_calls());
      rig.run(rig.cycle_calls() / 3);  // anywhere in the cycle
      const std::size_t lead = rig.plan().swap_lead_frames();
      const std::int64_t live = rig.convolver().position() + static_cast<std::int64_t>(lead) + 7;
      EXPECT_LE(most(run_swap(rig, live, fade, (lead + fade) / which.block + 6)),
                2.5 * most(alone));
    }
  }
}

// Nor does the part of the cycle in which it becomes known matter: a bank that is too late for the
// block under way waits for the next one, rather than do all of its work in what is left.
TEST(DeferredLevel, HasNoPeakWhereverInTheCycleASwapIsAnnounced) {
  for (const Case& which : short_cases()) {
    Rig rig(which, 4);
    rig.run(rig.filling_calls());
    const std::vector<double> alone = rig.run(rig.cycle_calls());
    const std::size_t lead = rig.plan().swap_lead_frames();
    // Each time one call later in the cycle than before.
    const std::size_t cycles = lead / which.block / rig.cycle_calls() + 1;
    for (std::size_t call = 0; call < rig.cycle_calls(); ++call) {
      rig.forget();
      const std::int64_t live = rig.convolver().position() + static_cast<std::int64_t>(lead);
      rig.convolver().swap(rig.any_bank(), live, 0);
      ASSERT_LE(most(rig.run(cycles * rig.cycle_calls() + 1)), 2.5 * most(alone))
          << "seed 4, call " << call << " of the cycle, block " << which.block << ", "
          << rig.plan().describe();
    }
  }
}

// Neither what was summed of it nor what was under way is heard, whatever the reset interrupts.
TEST(DeferredLevel, KnowsNothingOfAForgottenPast) {
  const Case which{
      .block = 64, .inputs = 2, .outputs = 3, .partition_frames = {64, 128, 512}, .taps = 3'000};
  for (std::size_t calls = 1; calls <= 100; calls += calls < 40 ? 1 : 7) {
    SCOPED_TRACE(testing::Message() << "seed 5, reset after " << calls << " calls");
    Rig rig(which, 5);
    rig.run(calls);
    rig.convolver().reset();
    rig.forget();
    rig.run(60);
    const Signal oracle =
        direct_convolution(rig.heard(), rig.bank(), rig.routing(), rig.heard()[0].size());
    ASSERT_TRUE(test::follows(rig.out(), oracle, 1e-6));
  }
}

// However late: what is missing is computed when it is needed.
TEST(DeferredLevel, LetsASwapGoLiveAtAnyFrame) {
  const Case which{
      .block = 64, .inputs = 2, .outputs = 3, .partition_frames = {64, 128, 512}, .taps = 5'000};
  for (std::size_t seed = 1; seed <= 24; ++seed) {
    Rig rig(which, seed, 1 + seed % 2);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    rig.run(test::between(random, 0, 100));
    const auto ahead = static_cast<std::int64_t>(test::between(random, 0, 1'500));
    const std::int64_t live = rig.convolver().position() + ahead;
    const std::size_t fade = seed % 3 == 0 ? 0 : test::between(random, 1, 900);
    run_swap(rig, live, fade, 60);
  }
}

// What is computed never depends on how it was cut: neither by calls nor among threads.
TEST(DeferredLevel, GivesTheSameSamplesForAnyThreads) {
  const Case which{
      .block = 64, .inputs = 3, .outputs = 5, .partition_frames = {64, 256, 1'024}, .taps = 6'000};
  Rig one(which, 3, 1);
  Rig two(which, 3, 2);
  Rig three(which, 3, 3);
  for (Rig* rig : {&one, &two, &three}) rig->run(200);
  EXPECT_EQ(one.out(), two.out());
  EXPECT_EQ(one.out(), three.out());
}

}  // namespace
}  // namespace firbank
