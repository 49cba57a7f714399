// Arrays in memory: whatever the layout, the method, the batches, the threads and the limit of
// memory, the output is that of a direct convolution in double precision.
#include "engine/offline/array_convolver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/offline/array_tasks.hpp"
#include "engine/reference.hpp"
#include "io/error.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;
using testing::HasSubstr;

template <class Sample>
constexpr ElementType type_of() {
  return sizeof(Sample) == sizeof(float) ? ElementType::kFloat32 : ElementType::kFloat64;
}

enum class Shape { kRows, kSharedRow, kBank, kMatrix };

/// A job and its arrays, `units` channels of which lie one after another or frame by frame.
template <class Sample>
struct Case {
  ArrayJob job;
  ArraySignals signals;
  std::vector<Sample> input;
  std::vector<double> kernels;
  std::vector<Sample> output;
  Signal in;                 // [unit x inputs + input]
  FilterBank bank{{{1.0}}};  // [unit, if own, x kernels + kernel]
  bool by_frames = false;

  /// A matrix with frames of `wide` inputs, where that is not 0.
  Case(Random& random, Shape shape, std::size_t frames, std::size_t longest, std::size_t wide = 0) {
    const bool is_matrix = shape == Shape::kMatrix;
    const std::size_t units = is_matrix ? 1 : between(random, 1, 5);
    const std::size_t inputs = wide > 0 ? wide : is_matrix ? between(random, 1, 5) : 1;
    const std::size_t outputs = shape == Shape::kBank ? between(random, 1, 6)
                                : is_matrix           ? between(random, 1, 3)
                                                      : 1;
    by_frames = between(random, 0, 1) == 1 || wide > 0;
    job.units = {units};
    job.inputs = inputs;
    job.frames = frames;
    job.own_kernels = shape == Shape::kRows;
    const std::size_t count = is_matrix ? inputs * outputs : outputs;
    for (std::size_t k = 0; k < count; ++k) {
      // Those of a bank may differ in length.
      const bool any = shape == Shape::kBank && k > 0;
      job.taps.push_back(any ? between(random, 1, longest) : longest);
    }
    for (std::size_t k = 0; k < count; ++k) {
      job.edges.push_back({is_matrix ? k % inputs : 0, k, is_matrix ? k / inputs : k, 1.0});
    }
    if (between(random, 0, 3) == 0) job.edges.back().gain = 0.5;
    for (std::size_t o = 0; o < outputs; ++o)
      job.windows.push_back(some_window(random, frames, is_matrix ? longest : job.taps[o]));

    in = test::random_signal(random, units * inputs, frames);
    std::vector<std::vector<double>> filters;
    const std::size_t sets = job.own_kernels ? units : 1;
    for (std::size_t s = 0; s < sets; ++s) {
      for (const std::size_t taps : job.taps) filters.push_back(test::random_taps(random, taps));
    }
    bank = FilterBank(filters);
    lay_out();
  }

  static ArrayWindow some_window(Random& random, std::size_t frames, std::size_t taps) {
    switch (between(random, 0, 3)) {
      case 0:
        return {0, frames};
      case 1:
        return {(taps - 1) / 2, frames};
      case 2:
        if (taps <= frames) return {taps - 1, frames - taps + 1};
        [[fallthrough]];
      default:
        return {0, frames + taps - 1};
    }
  }

  void lay_out() {
    const std::size_t planes = in.size();
    input.resize(planes * job.frames);
    for (std::size_t p = 0; p < planes; ++p) {
      for (std::size_t n = 0; n < job.frames; ++n) {
        input[by_frames ? n * planes + p : p * job.frames + n] = static_cast<Sample>(in[p][n]);
      }
    }
    const auto plane = static_cast<std::ptrdiff_t>(by_frames ? 1 : job.frames);
    signals.input = {input.data(),
                     type_of<Sample>(),
                     {plane * static_cast<std::ptrdiff_t>(job.inputs)},
                     {},
                     static_cast<std::ptrdiff_t>(by_frames ? planes : 1)};
    for (std::size_t i = 0; i < job.inputs; ++i) {
      signals.input.offsets.push_back(plane * static_cast<std::ptrdiff_t>(i));
    }
    const std::size_t longest = job.longest();
    kernels.assign(bank.size() * longest, 0.0);
    for (std::size_t k = 0; k < bank.size(); ++k) {
      std::copy(bank.taps(k).begin(), bank.taps(k).end(),
                kernels.begin() + static_cast<std::ptrdiff_t>(k * longest));
    }
    signals.kernels = {kernels.data(),
                       ElementType::kFloat64,
                       {static_cast<std::ptrdiff_t>(job.taps.size() * longest)},
                       {},
                       1};
    for (std::size_t k = 0; k < job.taps.size(); ++k) {
      signals.kernels.offsets.push_back(static_cast<std::ptrdiff_t>(k * longest));
    }
    // Each output has a stretch of its own, guarded by a sample.
    std::size_t samples = 0;
    for (std::size_t o = 0; o < job.outputs(); ++o) {
      const std::size_t frames = job.windows[o].count;
      starts.push_back(samples);
      samples += frames * job.unit_count() + 1;
    }
    output.assign(samples, kGuard);
    for (std::size_t o = 0; o < job.outputs(); ++o) {
      const auto units = static_cast<std::ptrdiff_t>(job.unit_count());
      const auto frames = static_cast<std::ptrdiff_t>(job.windows[o].count);
      signals.outputs.push_back({output.data() + starts[o],
                                 type_of<Sample>(),
                                 {by_frames ? 1 : frames},
                                 {0},
                                 by_frames ? units : 1});
    }
  }

  /// Every output by its relative error. Of a few frames the sums may all but cancel out: they are
  /// compared with how large they could be.
  testing::AssertionResult is_direct_convolution() const {
    constexpr std::size_t kFew = 32;
    constexpr double kLimit = test::kErrorLimit<Sample>;
    const Signal actual = result();
    const Signal expected = oracle();
    for (std::size_t k = 0; k < actual.size(); ++k) {
      if (actual[k].size() >= kFew) {
        auto follows = test::follows({actual[k]}, {expected[k]}, kLimit);
        if (!follows) return follows << "; of output " << k;
        continue;
      }
      const double most = largest(k / job.outputs(), k % job.outputs());
      for (std::size_t n = 0; n < actual[k].size(); ++n) {
        if (std::isnan(actual[k][n]) && std::isnan(expected[k][n])) continue;
        if (std::abs(actual[k][n] - expected[k][n]) <= kLimit * most) continue;
        return testing::AssertionFailure() << "output " << k << ", frame " << n << ": "
                                           << actual[k][n] << " instead of " << expected[k][n];
      }
    }
    return testing::AssertionSuccess();
  }

  /// No frame of an output can be larger, by the inequality of Cauchy and Schwarz.
  double largest(std::size_t unit, std::size_t of_unit) const {
    double sum = 0;
    for (const ArrayEdge& edge : job.edges) {
      if (edge.output != of_unit) continue;
      const std::size_t own = job.own_kernels ? unit * job.taps.size() : 0;
      sum += std::abs(edge.gain) * norm(in[unit * job.inputs + edge.input]) *
             norm(bank.taps(own + edge.kernel));
    }
    return sum;
  }
  static double norm(std::span<const double> values) {
    double squares = 0;
    for (const double value : values) squares += std::isfinite(value) ? value * value : 0;
    return std::sqrt(squares);
  }

  /// Output o of unit u is channel u x outputs + o, cut from behind its window.
  Signal oracle() const {
    Signal all(job.unit_count() * job.outputs());
    for (std::size_t u = 0; u < job.unit_count(); ++u) {
      for (std::size_t o = 0; o < job.outputs(); ++o) {
        std::vector<Edge> edges;
        const std::size_t own = job.own_kernels ? u * job.taps.size() : 0;
        for (const ArrayEdge& edge : job.edges) {
          if (edge.output == o) {
            edges.push_back({u * job.inputs + edge.input, own + edge.kernel, 0, edge.gain, 0});
          }
        }
        const ArrayWindow& window = job.windows[o];
        const Signal whole =
            direct_convolution(in, bank, Routing(in.size(), 1, edges), window.end());
        all[u * job.outputs() + o] = test::cut(whole, window.first, window.count)[0];
      }
    }
    return all;
  }

  Signal result() const {
    Signal all(job.unit_count() * job.outputs());
    for (std::size_t u = 0; u < job.unit_count(); ++u) {
      for (std::size_t o = 0; o < job.outputs(); ++o) {
        const std::size_t frames = job.windows[o].count;
        std::vector<double>& to = all[u * job.outputs() + o];
        for (std::size_t n = 0; n < frames; ++n) {
          to.push_back(output[starts[o] + (by_frames ? n * job.unit_count() + u : u * frames + n)]);
        }
      }
    }
    return all;
  }

  bool guards_are_there() const {
    for (std::size_t o = 0; o < job.outputs(); ++o) {
      if (output[starts[o] + job.windows[o].count * job.unit_count()] != kGuard) return false;
    }
    return true;
  }

  static constexpr Sample kGuard = 1234.5;
  std::vector<std::size_t> starts;
};

ArrayOptions some_options(Random& random, const ArrayJob& job, const ArrayTraits& traits) {
  ArrayOptions options;
  const std::vector<std::string> backends = test::available_backends();
  options.backend = backends[between(random, 0, backends.size() - 1)];
  constexpr std::optional<ArrayMethod> kMethods[] = {
      std::nullopt, ArrayMethod::kDirect, ArrayMethod::kTransforms, ArrayMethod::kFrames};
  const bool by_frames = traits.adjacent_inputs && job.inputs > 1;
  options.method = kMethods[between(random, 0, by_frames ? 3 : 2)];
  if (between(random, 0, 1) == 1) options.threads = between(random, 1, 4);
  if (between(random, 0, 2) == 0) options.frames_at_once = between(random, 40, job.frames + 40);
  if (between(random, 0, 2) == 0) options.units_at_once = between(random, 1, 4);
  if (between(random, 0, 2) == 0) options.outputs_at_once = between(random, 1, 4);
  return options;
}

template <class Sample>
class ArrayConvolverTest : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(ArrayConvolverTest, SampleTypes);

TYPED_TEST(ArrayConvolverTest, IsTheDirectConvolutionHoweverItIsCut) {
  const std::uint64_t seeds = test::full_sweep() ? 4'000 : 250;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Random random(seed);
    const auto shape = static_cast<Shape>(between(random, 0, 3));
    const std::size_t frames = between(random, 1, between(random, 0, 3) == 0 ? 12'000 : 900);
    Case<TypeParam> of(random, shape, frames, between(random, 1, 300));
    const ArrayTraits traits = traits_of<TypeParam>(of.job, of.signals);
    const ArrayOptions options = some_options(random, of.job, traits);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ArrayConvolver<TypeParam> convolver(of.job, traits, options);
    ASSERT_TRUE(convolver.run(of.signals));
    ASSERT_TRUE(of.is_direct_convolution());
    ASSERT_TRUE(of.guards_are_there());
  }
}

// Of which strips are summed one by one, and copied where frames are a multiple of 4,096 bytes
// apart.
TYPED_TEST(ArrayConvolverTest, SumsWideFrames) {
  for (const std::size_t inputs : {127, 129, 300, 512, 1'024, 2'048}) {
    for (const std::size_t longest : {1, 7, 90, 600}) {
      SCOPED_TRACE(testing::Message() << inputs << " inputs, " << longest << " taps");
      Random random(inputs + longest);
      Case<TypeParam> of(random, Shape::kMatrix, between(random, 1, 900), longest, inputs);
      const ArrayTraits traits = traits_of<TypeParam>(of.job, of.signals);
      ArrayOptions options = some_options(random, of.job, traits);
      options.method = ArrayMethod::kFrames;
      ArrayConvolver<TypeParam> convolver(of.job, traits, options);
      ASSERT_TRUE(convolver.run(of.signals));
      ASSERT_TRUE(of.is_direct_convolution());
      ASSERT_TRUE(of.guards_are_there());
    }
  }
}

TYPED_TEST(ArrayConvolverTest, SpoilsWhatHearsANanAndNothingElse) {
  constexpr double kBad[] = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()};
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    Random random(seed);
    const auto shape = static_cast<Shape>(between(random, 0, 3));
    Case<TypeParam> of(random, shape, between(random, 1, 6'000), between(random, 1, 200));
    for (std::size_t bad = between(random, 1, 3); bad > 0; --bad) {
      auto& channel = of.in[between(random, 0, of.in.size() - 1)];
      channel[between(random, 0, channel.size() - 1)] = kBad[between(random, 0, 2)];
    }
    of.signals.outputs.clear();
    of.starts.clear();
    of.lay_out();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const ArrayTraits traits = traits_of<TypeParam>(of.job, of.signals);
    const ArrayOptions options = some_options(random, of.job, traits);
    ArrayConvolver<TypeParam> convolver(of.job, traits, options);
    ASSERT_TRUE(convolver.run(of.signals));
    ASSERT_TRUE(of.is_direct_convolution());
  }
}

TYPED_TEST(ArrayConvolverTest, KeepsToALimitOfMemoryOrSaysTheLeast) {
  Random random(3);
  Case<TypeParam> of(random, Shape::kBank, 20'000, 2'000);
  const ArrayTraits traits = traits_of<TypeParam>(of.job, of.signals);
  ArrayOptions options;
  const ArrayPlan free = plan_array_job(of.job, traits, options);
  std::uint64_t least = 0;
  try {
    options.memory_limit_bytes = 1;
    plan_array_job(of.job, traits, options);
    FAIL() << "a byte was enough";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_THAT(message, HasSubstr("memory_limit is 1 bytes"));
    least = std::stoull(message.substr(message.rfind(' ') + 1));
  }
  EXPECT_LT(least, free.memory_bytes);
  for (const double share : {0.0, 0.2, 0.5, 0.9}) {
    options.memory_limit_bytes =
        least + static_cast<std::uint64_t>(share * static_cast<double>(free.memory_bytes - least));
    SCOPED_TRACE(testing::Message() << "limit " << options.memory_limit_bytes);
    ArrayConvolver<TypeParam> convolver(of.job, traits, options);
    EXPECT_LE(convolver.plan().memory_bytes, options.memory_limit_bytes);
    ASSERT_TRUE(convolver.run(of.signals));
    EXPECT_TRUE(of.is_direct_convolution());
  }
  options.memory_limit_bytes = least - 1;
  EXPECT_THROW(plan_array_job(of.job, traits, options), Error);
}

// Also where it is known of transforms alone, of which there are smaller and smaller ones.
TYPED_TEST(ArrayConvolverTest, NamesTheLeastOfAllPlansHoweverFarTheLimitIsBelow) {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    Random random(seed);
    const auto shape = static_cast<Shape>(seed % 4);
    Case<TypeParam> of(random, shape, between(random, 100, 20'000), between(random, 1, 2'000));
    const ArrayTraits traits = traits_of<TypeParam>(of.job, of.signals);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const auto least_below = [&](std::uint64_t limit) -> std::uint64_t {
      ArrayOptions options;
      options.method = ArrayMethod::kTransforms;
      options.memory_limit_bytes = limit;
      try {
        EXPECT_LE(plan_array_job(of.job, traits, options).memory_bytes, limit);
      } catch (const Error& error) {
        const std::string message = error.what();
        EXPECT_THAT(message, HasSubstr("; this needs at least "));
        return std::stoull(message.substr(message.rfind(' ') + 1));
      }
      return 0;
    };
    const std::uint64_t least = least_below(1);
    EXPECT_EQ(least_below(least / 2), least);
    EXPECT_EQ(least_below(least - 1), least);
    EXPECT_EQ(least_below(least), 0U);
  }
}

TYPED_TEST(ArrayConvolverTest, KeepsWhatWasMadeOfKernelsThatStay) {
  for (const ArrayMethod method :
       {ArrayMethod::kDirect, ArrayMethod::kFrames, ArrayMethod::kTransforms}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed);
      Random random(seed);
      const bool by_frames = method == ArrayMethod::kFrames;
      Case<TypeParam> of(random, by_frames ? Shape::kMatrix : Shape::kBank, 3'000, 150);
      const ArrayTraits traits = traits_of<TypeParam>(of.job, of.signals);
      if (by_frames && (!traits.adjacent_inputs || of.job.inputs < 2)) continue;
      ArrayOptions options = some_options(random, of.job, traits);
      options.method = method;
      ArrayConvolver<TypeParam> convolver(of.job, traits_of<TypeParam>(of.job, of.signals),
                                          options);
      ASSERT_TRUE(convolver.run(of.signals, {}, true));
      ASSERT_TRUE(of.is_direct_convolution());
      const std::size_t kernel = between(random, 0, of.job.taps.size() - 1);
      std::vector<std::vector<double>> filters;
      for (std::size_t k = 0; k < of.bank.size(); ++k) {
        filters.emplace_back(of.bank.taps(k).begin(), of.bank.taps(k).end());
      }
      filters[kernel] = test::random_taps(random, of.job.taps[kernel]);
      std::copy(filters[kernel].begin(), filters[kernel].end(),
                of.kernels.begin() + static_cast<std::ptrdiff_t>(kernel * of.job.longest()));
      convolver.replace(kernel);
      ASSERT_TRUE(convolver.run(of.signals, {}, true));
      of.bank = FilterBank(filters);
      EXPECT_TRUE(of.is_direct_convolution());
    }
  }
}

TEST(ArrayConvolver, TellsItsCallerHowFarItIs) {
  Random random(5);
  Case<float> of(random, Shape::kBank, 400'000, 700);
  ArrayOptions options;
  options.threads = 2;
  ArrayConvolver<float> convolver(of.job, traits_of<float>(of.job, of.signals), options);
  const auto caller = std::this_thread::get_id();
  std::uint64_t last = 0;
  std::size_t calls = 0;
  ASSERT_TRUE(convolver.run(of.signals, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
    ++calls;
    return true;
  }));
  EXPECT_GT(calls, 0u);
  EXPECT_TRUE(of.is_direct_convolution());
}

TEST(ArrayConvolver, EndsWhereProgressSaysSo) {
  Random random(5);
  Case<float> of(random, Shape::kBank, 1'000'000, 4'000);
  ArrayOptions options;
  options.method = ArrayMethod::kDirect;  // for seconds, if it were not ended
  options.threads = 2;
  ArrayConvolver<float> convolver(of.job, traits_of<float>(of.job, of.signals), options);
  EXPECT_FALSE(convolver.run(of.signals, [](std::uint64_t, std::uint64_t) { return false; }));
  EXPECT_THROW(convolver.run(of.signals,
                             [](std::uint64_t, std::uint64_t) -> bool { throw std::bad_alloc(); }),
               std::bad_alloc);
}

TEST(ArrayConvolver, NamesWhatIsNotAllowed) {
  Random random(1);
  const Case<float> of(random, Shape::kRows, 100, 5);
  const ArrayTraits traits = traits_of<float>(of.job, of.signals);
  const auto refusal = [&](ArrayOptions options) -> std::string {
    try {
      ArrayConvolver<float> convolver(of.job, traits, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  ArrayOptions options;
  options.backend = "abacus";
  EXPECT_THAT(refusal(options), HasSubstr("device is 'abacus'; allowed: auto, cpu"));
  options = {};
  options.threads = 65;
  EXPECT_THAT(refusal(options), HasSubstr("threads is 65; allowed: 1 to 64"));
}

// Of a kernel that is longer than what is wanted; so transforms do not round with it.
TEST(ArrayConvolver, LeavesOutTapsThatNoFrameHears) {
  std::vector<float> input(2, 1.0F);
  std::vector<float> kernel(600, 1e6F);
  kernel[0] = 1.0F;
  kernel[1] = 2.0F;
  std::vector<float> output(2, 0.0F);
  ArrayJob job;
  job.taps = {kernel.size()};
  job.edges = {{0, 0, 0}};
  job.windows = {{0, 2}};
  job.frames = 2;
  const auto view = [](const std::vector<float>& of) {
    return ArrayView{of.data(), ElementType::kFloat32, {}, {0}, 1};
  };
  ArrayOptions options;
  options.method = ArrayMethod::kTransforms;
  ArrayConvolver<float> convolver(job, {}, options);
  ASSERT_TRUE(convolver.run({view(input), view(kernel), {view(output)}}));
  EXPECT_THAT(output,
              testing::ElementsAre(testing::FloatNear(1, 1e-6F), testing::FloatNear(3, 3e-6F)));
  EXPECT_EQ(convolver.job().longest(), 2u);
}

TEST(ArrayTasks, CoverEachFrameOnceTheMostWorkFirst) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ArrayJob job;
    job.units = {between(random, 1, 7)};
    job.frames = between(random, 1, 5'000);
    const std::size_t outputs = between(random, 1, 20);
    for (std::size_t o = 0; o < outputs; ++o) {
      job.taps.push_back(between(random, 1, 300));
      job.edges.push_back({0, o, o});
      job.windows.push_back({0, job.frames + job.taps[o] - 1});
    }
    ArrayPlan plan;
    plan.units_at_once = between(random, 1, 8);
    plan.outputs_at_once = between(random, 1, 8);
    plan.frames_at_once = between(random, 1, 6'000);
    const ArrayTasks tasks(job, plan);
    std::vector<std::uint64_t> done(job.unit_count() * outputs, 0);  // of each output, in order
    std::size_t before = std::numeric_limits<std::size_t>::max();
    for (std::uint64_t t = 0; t < tasks.size(); ++t) {
      const ArrayTask task = tasks.at(t);
      std::size_t taps = 0;
      for (std::size_t o = task.first_output; o < task.last_output; ++o) taps += job.taps[o];
      EXPECT_LE(taps, before);
      before = taps;
      for (std::size_t u = task.first_unit; u < task.last_unit; ++u) {
        for (std::size_t o = task.first_output; o < task.last_output; ++o) {
          EXPECT_EQ(done[u * outputs + o], task.frames.first);
          done[u * outputs + o] = task.frames.end();
        }
      }
    }
    for (std::size_t u = 0; u < job.unit_count(); ++u) {
      for (std::size_t o = 0; o < outputs; ++o) {
        EXPECT_GE(done[u * outputs + o], job.windows[o].end());
      }
    }
  }
}

TEST(ArrayPlan, TakesTheCheaperMethod) {
  ArrayJob job;
  job.units = {1};
  job.frames = 100'000;
  job.edges = {{0, 0, 0, 1.0}};
  const auto method = [&](std::size_t taps) {
    job.taps = {taps};
    job.windows = {{0, job.frames}};
    return plan_array_job(job, {}, {}).method;
  };
  EXPECT_EQ(method(4), ArrayMethod::kDirect);
  EXPECT_EQ(method(2'000), ArrayMethod::kTransforms);
}

}  // namespace
}  // namespace firbank
