// Copies into a slot and out of one: the same samples in the same places however many threads share
// them and whichever way they are stored; 16 bits for all of a slot or for none.
#include "kernels/cuda/slot_copy.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/worker_pool.hpp"
#include "tests/support/new_samples.hpp"
#include "tests/support/random_cases.hpp"

namespace firbank::cuda {
namespace {

using test::between;
using test::EndsOfPlanes;
using test::Random;

/// A window whose fresh frames are silence and then the last ones of some planes.
template <class Sample>
struct Case {
  StreamShape shape;
  std::size_t silent;
  std::vector<std::vector<Sample>> planes;

  Case(Random& random, std::size_t inputs, std::size_t silent_frames, std::size_t frames,
       bool narrow)
      : silent(silent_frames), planes(inputs, std::vector<Sample>(frames)) {
    shape.inputs = shape.outputs = inputs;
    for (auto& plane : planes) {
      for (Sample& x : plane) {
        const auto step = static_cast<int>(between(random, 0, 65'535)) - 32'768;
        x = static_cast<Sample>(step) / 32'768 * (narrow ? 1 : Sample{0.7F});
      }
    }
  }

  std::size_t frames() const { return silent + planes.front().size(); }
  Sample at(std::size_t input, std::size_t frame) const {
    return frame < silent ? Sample{0} : planes[input][frame - silent];
  }
};

template <class Sample>
Window<Sample> window_of(const Case<Sample>& of, const EndsOfPlanes<Sample>& samples) {
  return {.samples = &samples, .fresh = {100, 100 + of.frames()}};
}

constexpr std::size_t kNever = SIZE_MAX;

/// Runs `check(shape, cache_bytes)` by the caller alone and by several threads, by and past the
/// caches.
template <class Check>
void for_all_ways(const StreamShape& shape, Check check) {
  for (const std::size_t threads : {0, 1, 2, 5}) {
    std::unique_ptr<WorkerPool> pool;
    if (threads > 0) pool = std::make_unique<WorkerPool>(threads);
    for (const std::size_t cache_bytes : {kNever, std::size_t{0}}) {
      SCOPED_TRACE(testing::Message()
                   << threads << " threads, past the caches " << (cache_bytes == 0));
      StreamShape with_pool = shape;
      with_pool.copiers = pool.get();
      check(with_pool, cache_bytes);
    }
  }
}

template <class Sample>
class SlotCopyTest : public testing::Test {};
using Samples = testing::Types<float, double>;
TYPED_TEST_SUITE(SlotCopyTest, Samples);

constexpr std::size_t kMostFrames = 4'096;
constexpr std::size_t kInputs = 13;

TYPED_TEST(SlotCopyTest, FillsASlotInputByInput) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::size_t silent = seed % 3 == 0 ? between(random, 1, kMostFrames) : 0;
    const bool narrow = seed % 2 == 0;
    const Case<TypeParam> of(random, kInputs, silent, between(random, 1, kMostFrames), narrow);
    const EndsOfPlanes<TypeParam> newest(of.planes, of.planes[0].size());
    const Window<TypeParam> window = window_of(of, newest);
    for_all_ways(of.shape, [&](const StreamShape& shape, std::size_t cache_bytes) {
      const SlotCopy<TypeParam> copy(shape, cache_bytes);
      const std::size_t samples = kInputs * of.frames();
      AlignedVector<TypeParam> slot(samples + 1, TypeParam{9});
      copy.fill(window, slot.data());
      newest.expect_taken(1);
      AlignedVector<std::int16_t> small(samples + 1, 9);
      ASSERT_EQ(copy.fill_narrow(window, small.data()), narrow);
      newest.expect_taken(narrow ? 1 : 0);
      for (std::size_t input = 0; input < kInputs; ++input) {
        for (std::size_t n = 0; n < of.frames(); ++n) {
          const std::size_t at = input * of.frames() + n;
          ASSERT_EQ(slot[at], of.at(input, n)) << "input " << input << ", frame " << n;
          if (!narrow) continue;
          ASSERT_EQ(static_cast<TypeParam>(small[at]) / 32'768, of.at(input, n));
        }
      }
      EXPECT_EQ(slot[samples], 9);
      EXPECT_EQ(small[samples], 9);
    });
  }
}

TYPED_TEST(SlotCopyTest, SeesASampleThatDoesNotFitWhereverItIs) {
  Random random(7);
  SCOPED_TRACE("seed 7");
  Case<TypeParam> of(random, kInputs, 0, kMostFrames - 3, true);
  for_all_ways(of.shape, [&](const StreamShape& shape, std::size_t cache_bytes) {
    const SlotCopy<TypeParam> copy(shape, cache_bytes);
    AlignedVector<std::int16_t> slot(kInputs * of.frames());
    for (int trial = 0; trial < 20; ++trial) {
      TypeParam& x =
          of.planes[between(random, 0, kInputs - 1)][between(random, 0, of.frames() - 1)];
      const auto fits = [&] {
        const EndsOfPlanes<TypeParam> newest(of.planes, of.frames());
        const bool all_fit = copy.fill_narrow(window_of(of, newest), slot.data());
        newest.expect_taken(all_fit ? 1 : 0);
        return all_fit;
      };
      const TypeParam before = std::exchange(x, TypeParam{0.3F});
      EXPECT_FALSE(fits());
      x = before;
      EXPECT_TRUE(fits());
    }
  });
}

/// Planes of zeros, of which only the way is noted in which they are taken.
template <class Sample>
class NotedWay final : public NewSamples<Sample> {
 public:
  explicit NotedWay(std::size_t frames) : zeros_(frames) {}

  std::size_t frames() const noexcept override { return zeros_.size(); }
  const Sample* raw(std::size_t) const noexcept override { return zeros_.data(); }
  void take(IndexRange, Sample*, std::size_t, bool past_caches) const noexcept override {
    is_past_caches = past_caches;
  }
  void pass(IndexRange) const noexcept override {}

  mutable bool is_past_caches = false;

 private:
  std::vector<Sample> zeros_;
};

TYPED_TEST(SlotCopyTest, GoesPastTheCachesWithMoreThanTheyHold) {
  constexpr std::size_t kFrames = 100;
  constexpr std::size_t kBytes = 2 * kInputs * kFrames * sizeof(TypeParam);  // read and written
  const StreamShape shape{.inputs = kInputs};
  const NotedWay<TypeParam> samples(kFrames);
  const Window<TypeParam> window{.samples = &samples, .fresh = {100, 100 + kFrames}};
  AlignedVector<TypeParam> slot(kInputs * kFrames);
  SlotCopy<TypeParam>(shape, kBytes).fill(window, slot.data());
  EXPECT_FALSE(samples.is_past_caches);
  SlotCopy<TypeParam>(shape, kBytes - 1).fill(window, slot.data());
  EXPECT_TRUE(samples.is_past_caches);
}

// The rest of a slot would be read and written for nothing.
TYPED_TEST(SlotCopyTest, EndsAtTheFirstPlaneThatDoesNotFit) {
  Random random(9);
  SCOPED_TRACE("seed 9");
  Case<TypeParam> of(random, kInputs, 0, 500, true);
  for (auto& plane : of.planes) plane[0] = 0;
  of.planes[2][77] = TypeParam{0.3F};
  const EndsOfPlanes<TypeParam> newest(of.planes, of.frames());
  AlignedVector<std::int16_t> slot(kInputs * of.frames(), 9);
  EXPECT_FALSE(SlotCopy<TypeParam>(of.shape).fill_narrow(window_of(of, newest), slot.data()));
  newest.expect_taken(0);
  EXPECT_EQ(slot[of.frames()], 0);
  for (std::size_t input = 3; input < kInputs; ++input) {
    EXPECT_EQ(slot[input * of.frames()], 9) << "input " << input;
  }
}

TYPED_TEST(SlotCopyTest, BringsEveryOutputHome) {
  for (const std::size_t frames : {1, 63, 5'000}) {
    Random random(8 + frames);
    SCOPED_TRACE(testing::Message() << "seed " << 8 + frames);
    StreamShape shape{.outputs = kInputs};
    AlignedVector<TypeParam> slot(kInputs * frames);
    for (TypeParam& x : slot) x = static_cast<TypeParam>(between(random, 0, 1'000'000));
    for_all_ways(shape, [&](const StreamShape& with_pool, std::size_t cache_bytes) {
      const SlotCopy<TypeParam> copy(with_pool, cache_bytes);
      std::vector<std::vector<TypeParam>> out(kInputs, std::vector<TypeParam>(frames + 1, -1));
      std::vector<TypeParam*> planes;
      for (auto& plane : out) planes.push_back(plane.data());
      copy.bring_home(slot.data(), frames, planes.data());
      for (std::size_t output = 0; output < kInputs; ++output) {
        EXPECT_EQ(0, std::memcmp(out[output].data(), slot.data() + output * frames,
                                 frames * sizeof(TypeParam)));
        EXPECT_EQ(out[output][frames], -1);
      }
    });
  }
}

// What proves that copies are shared: a thread that is held up in one plane, by memory that may not
// be read yet, while another one brings all other planes home.
class HeldUpPlane : public testing::Test {
 protected:
  static constexpr std::size_t kPlanes = 8;
  static constexpr std::size_t kFrames = 65'536;  // a plane is a share
  static constexpr std::size_t kBytes = kFrames * sizeof(float);

  void SetUp() override {
    void* const memory =
        mmap(nullptr, kPlanes * kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    slot_ = static_cast<float*>(memory);
    for (std::size_t n = 0; n < kPlanes * kFrames; ++n) slot_[n] = static_cast<float>(n % 1'000);
    for (std::size_t plane = 0; plane < kPlanes; ++plane) {
      out_.emplace_back(kFrames, -1.0F);
      planes_.push_back(out_.back().data());
    }
    is_held_up = false;
    may_go_on = false;
    struct sigaction action {};
    action.sa_handler = &hold_up;
    ASSERT_EQ(sigaction(SIGSEGV, &action, &before_), 0);
  }
  void TearDown() override {
    if (slot_ == nullptr) return;
    sigaction(SIGSEGV, &before_, nullptr);
    munmap(slot_, kPlanes * kBytes);
  }

  /// The thread that reads the first plane waits here, and reads it again.
  static void hold_up(int) {
    is_held_up = true;
    while (!may_go_on) {
    }
  }

  /// Beside the threads that write it, which a look at the last sample does not disturb.
  __attribute__((no_sanitize_thread, noinline)) static float glance_at(
      const volatile float* sample) {
    return *sample;
  }

  /// Whether all planes but the first come home while the first one is held up.
  bool others_come_home(std::size_t threads) {
    WorkerPool pool(threads);
    const StreamShape shape{.outputs = kPlanes, .copiers = &pool};
    const SlotCopy<float> copy(shape);
    EXPECT_EQ(mprotect(slot_, kBytes, PROT_NONE), 0);
    std::thread caller([&] { copy.bring_home(slot_, kFrames, planes_.data()); });
    const auto deadline =
        std::chrono::steady_clock::now() +
        (threads == 1 ? std::chrono::milliseconds(300) : std::chrono::seconds(20));
    const auto last = [&](std::size_t plane) { return glance_at(&planes_[plane][kFrames - 1]); };
    bool all_home = false;
    while (!all_home && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
      all_home = is_held_up;
      for (std::size_t plane = 1; plane < kPlanes; ++plane) all_home = all_home && last(plane) >= 0;
    }
    EXPECT_LT(last(0), 0);
    mprotect(slot_, kBytes, PROT_READ);
    may_go_on = true;
    caller.join();
    EXPECT_GE(last(0), 0);
    return all_home;
  }

  inline static std::atomic<bool> is_held_up{false};
  inline static std::atomic<bool> may_go_on{false};
  float* slot_ = nullptr;
  std::vector<std::vector<float>> out_;
  std::vector<float*> planes_;
  struct sigaction before_ {};
};

TEST_F(HeldUpPlane, HoldsUpNoOtherWithTwoThreads) {
  EXPECT_TRUE(others_come_home(2));
}

TEST_F(HeldUpPlane, HoldsUpAllOthersWithOne) {
  EXPECT_FALSE(others_come_home(1));
}

}  // namespace
}  // namespace firbank::cuda
