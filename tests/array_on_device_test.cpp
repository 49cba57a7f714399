// Arrays through a device: calls are under way while others are computed, threads share the copies,
// and the results are those of a direct convolution; within a limit of memory, or refused by name.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/offline/array_convolver.hpp"
#include "engine/reference.hpp"
#include "io/error.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::Random;
using testing::HasSubstr;

/// Rows, each with a kernel of its own, and their full convolution: contiguous as an engine takes
/// them, or sample by sample side by side, so that every call is copied.
struct Rows {
  std::size_t rows;
  std::size_t frames;
  std::size_t taps;
  bool adjacent;
  std::vector<float> x;
  std::vector<double> h;
  std::vector<float> y;
  Signal in;
  std::vector<std::vector<double>> filters;
  ArrayJob job;
  ArraySignals signals;

  Rows(Random& random, std::size_t row_count, std::size_t frame_count, std::size_t tap_count,
       bool side_by_side)
      : rows(row_count),
        frames(frame_count),
        taps(tap_count),
        adjacent(side_by_side),
        x(rows * frames),
        y(rows * out_frames(), -7.0F),
        in(test::random_signal(random, rows, frames)) {
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t n = 0; n < frames; ++n) {
        x[adjacent ? n * rows + row : row * frames + n] = static_cast<float>(in[row][n]);
      }
      filters.push_back(test::random_taps(random, taps));
      h.insert(h.end(), filters.back().begin(), filters.back().end());
    }
    job.units = {rows};
    job.frames = frames;
    job.edges = {{}};
    job.taps = {taps};
    job.own_kernels = true;
    job.windows = {{0, out_frames()}};
    const auto of_rows = [&](const void* base, ElementType type, std::size_t length, bool apart) {
      ArrayView view;
      view.base = base;
      view.type = type;
      view.frame_stride = apart ? static_cast<std::ptrdiff_t>(rows) : 1;
      view.unit_strides = {apart ? 1 : static_cast<std::ptrdiff_t>(length)};
      view.offsets = {0};
      return view;
    };
    signals.input = of_rows(x.data(), ElementType::kFloat32, frames, adjacent);
    signals.kernels = of_rows(h.data(), ElementType::kFloat64, taps, false);
    signals.outputs = {of_rows(y.data(), ElementType::kFloat32, out_frames(), adjacent)};
  }

  std::size_t out_frames() const { return frames + taps - 1; }

  testing::AssertionResult is_right() const {
    Signal out(rows, std::vector<double>(out_frames()));
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t n = 0; n < out_frames(); ++n) {
        out[row][n] = y[adjacent ? n * rows + row : row * out_frames() + n];
      }
    }
    const FilterBank bank(filters);
    return test::follows(out, direct_convolution(in, bank, Routing::rows(rows, rows), out_frames()),
                         1e-6);
  }

  ArrayTraits traits() const { return traits_of<float>(job, signals); }
};

ArrayOptions on_device(std::size_t threads = 0) {
  ArrayOptions options;
  options.backend = "cuda";
  options.threads = threads;
  return options;
}

using ArrayOnDevice = test::DeviceFixture;

TEST_F(ArrayOnDevice, HasCallsUnderWayWhileOthersAreComputed) {
  for (const bool adjacent : {false, true}) {
    SCOPED_TRACE(testing::Message() << "seed 1, side by side " << adjacent);
    Random random(1);
    Rows of(random, 5, 60'000, 300, adjacent);
    ArrayConvolver<float> convolver(of.job, of.traits(), on_device(3));
    EXPECT_EQ(convolver.plan().threads, 1u);
    EXPECT_EQ(convolver.plan().copy_threads, 3u);
    EXPECT_EQ(convolver.plan().calls_ahead, 2u);
    const PartitionPlan& plan = convolver.plan().partition;
    const std::size_t pieces = (of.out_frames() + plan.piece_frames - 1) / plan.piece_frames;
    ASSERT_GE(pieces, 4u);
    ASSERT_LE(pieces, 100u) << "launches would take longer than all else";
    configure("delay_us=5000");
    control_->reset_counts();
    ASSERT_TRUE(convolver.run(of.signals));
    EXPECT_TRUE(of.is_right());
    // One copy in and one home for each, in lanes of their own.
    EXPECT_EQ(counts().copies, 2 * pieces);
    EXPECT_GE(counts().most_ahead, 2u);
    EXPECT_LE(counts().most_ahead, 3u);
  }
}

TEST_F(ArrayOnDevice, KeepsWithinTheLimitOrNamesTheLeast) {
  SCOPED_TRACE("seed 2");
  Random random(2);
  Rows of(random, 4, 40'000, 500, false);
  const ArrayPlan whole = plan_array_job(of.job, of.traits(), on_device());
  EXPECT_EQ(whole.calls_ahead, 2u);
  ArrayOptions options = on_device();
  options.memory_limit_bytes = whole.memory_bytes - 1;
  const ArrayPlan less = plan_array_job(of.job, of.traits(), options);
  EXPECT_LE(less.memory_bytes, options.memory_limit_bytes);
  options.memory_limit_bytes = 10'000;
  std::uint64_t least = 0;
  try {
    plan_array_job(of.job, of.traits(), options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_THAT(text, HasSubstr("memory_limit is 10000 bytes; this needs at least "));
    least = std::stoull(text.substr(text.rfind(' ')));
  }
  options.memory_limit_bytes = least;
  ArrayConvolver<float> convolver(of.job, of.traits(), options);
  EXPECT_EQ(convolver.plan().calls_ahead, 0u);  // the last thing that room is made by
  ASSERT_TRUE(convolver.run(of.signals));
  EXPECT_TRUE(of.is_right());
}

// As the least of large transforms was, of which there are smaller ones.
TEST_F(ArrayOnDevice, NamesTheLeastOfAllPlansHoweverFarTheLimitIsBelow) {
  SCOPED_TRACE("seed 6");
  Random random(6);
  for (const std::size_t frames : {2'000, 60'000}) {
    Rows of(random, 3, frames, 300, false);
    // Three kernels on each row: what describes the job is more than the lowest limits already.
    of.job.own_kernels = false;
    of.job.taps.assign(3, of.taps);
    of.job.edges = {{0, 0, 0, 1.0}, {0, 1, 1, 1.0}, {0, 2, 2, 1.0}};
    of.job.windows.assign(3, {0, of.out_frames()});
    const auto least_below = [&](std::uint64_t limit) -> std::uint64_t {
      ArrayOptions options = on_device();
      options.memory_limit_bytes = limit;
      try {
        plan_array_job(of.job, of.traits(), options);
      } catch (const Error& error) {
        const std::string text = error.what();
        EXPECT_THAT(text, HasSubstr("; this needs at least "));
        return std::stoull("0" + text.substr(text.find_last_not_of("0123456789") + 1));
      }
      return 0;
    };
    const std::uint64_t least = least_below(1);
    EXPECT_EQ(least_below(1'000), least);
    EXPECT_EQ(least_below(least - 1), least);
    EXPECT_EQ(least_below(least), 0u);
  }
}

// What the plan counts is no less than what there is: of the device, of the host's memory that it
// reaches, and of the host's where samples are copied together, of inputs once and of outputs for
// each call that is under way.
TEST_F(ArrayOnDevice, TakesNoMoreMemoryThanItSays) {
  for (const bool adjacent : {false, true}) {
    SCOPED_TRACE(testing::Message() << "seed 3, side by side " << adjacent);
    Random random(3);
    Rows of(random, 6, 100'000, 2'000, adjacent);
    ArrayConvolver<float> convolver(of.job, of.traits(), on_device(2));
    const ArrayPlan& plan = convolver.plan();
    test::FakeDeviceMemory most{};
    ASSERT_TRUE(convolver.run(of.signals, {}, true));
    control_->memory(&most);
    EXPECT_GT(most.pinned_bytes, 0u);
    const std::size_t planes = of.rows * (1 + plan.calls_ahead + 1);
    const std::size_t copied = adjacent ? planes * plan.call_frames * sizeof(float) : 0;
    EXPECT_LE(most.device_bytes + most.pinned_bytes + copied, plan.memory_bytes);
  }
}

// The calls that were under way are over then: what they were to fill may be gone.
TEST_F(ArrayOnDevice, WritesNothingToTheArraysOfARunThatHasFailed) {
  SCOPED_TRACE("seed 8");
  Random random(8);
  Rows of(random, 5, 60'000, 300, false);
  of.job.own_kernels = false;  // so that the engine is kept
  configure("fail_work=3");
  ArrayConvolver<float> convolver(of.job, of.traits(), on_device());
  ASSERT_EQ(convolver.plan().calls_ahead, 2u);
  ASSERT_THROW(convolver.run(of.signals, {}, true), std::runtime_error);
  const std::vector<float> untouched(of.y.size(), -7.0F);
  of.y = untouched;
  std::vector<float> other(of.y.size());
  ArraySignals signals = of.signals;
  signals.outputs.front().base = other.data();
  ASSERT_THROW(convolver.run(signals, {}, true), std::runtime_error);
  EXPECT_EQ(of.y, untouched);
}

// Sums of products are computed by a processor alone.
TEST_F(ArrayOnDevice, RefusesMethodsThatItHasNot) {
  SCOPED_TRACE("seed 7");
  Random random(7);
  Rows of(random, 2, 1'000, 20, false);
  ArrayOptions options = on_device();
  for (const ArrayMethod method : {ArrayMethod::kDirect, ArrayMethod::kFrames}) {
    options.method = method;
    try {
      plan_array_job(of.job, of.traits(), options);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("; allowed with device 'cuda': auto, fft"));
    }
  }
  options.method = ArrayMethod::kTransforms;
  EXPECT_EQ(plan_array_job(of.job, of.traits(), options).method, ArrayMethod::kTransforms);
}

TEST_F(ArrayOnDevice, SaysThatTheDeviceIsLost) {
  SCOPED_TRACE("seed 5");
  Random random(5);
  Rows of(random, 5, 60'000, 300, true);
  configure("fail_work=6");
  ArrayConvolver<float> convolver(of.job, of.traits(), on_device(2));
  try {
    convolver.run(of.signals);
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("fail"));
  }
}

}  // namespace
}  // namespace firbank
