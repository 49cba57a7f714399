// What the host executor catches and passes on, with both of its ways to run threads.
#include "tests/support/host_executor.hpp"

#include <atomic>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::test {
namespace {

using Threads = HostRun::Threads;

TEST(HostExecutorTest, ABarrierThatNotAllComeToIsAnError) {
  for (const Threads threads : {Threads::kFibers, Threads::kThreads}) {
    EXPECT_THAT(
        [&] {
          run_grid({{3, 1, 1}, 8, 16},
                   [](HostContext& context) {
                     context.sync();
                     if (context.thread() < 5) context.sync();
                   },
                   {1, threads});
        },
        testing::ThrowsMessage<std::logic_error>(
            testing::HasSubstr("5 of 8 threads came to a barrier, the others returned")));
    // The executor is as good as new.
    std::atomic<int> ran{0};
    run_grid({{3, 2, 1}, 8, 16},
             [&](HostContext& context) {
               context.sync();
               ++ran;
             },
             {1, threads});
    EXPECT_EQ(ran, 48);
  }
}

TEST(HostExecutorTest, PassesOnWhatABodyThrows) {
  for (const Threads threads : {Threads::kFibers, Threads::kThreads}) {
    EXPECT_THROW(run_grid({{1, 1, 1}, 4, 16},
                          [](HostContext& context) {
                            if (context.thread() == 2) throw std::runtime_error("two");
                            context.sync();
                          },
                          {1, threads}),
                 std::runtime_error);
  }
}

TEST(HostExecutorTest, ACountOfWhatIsNotFencedIsAnError) {
  std::uint32_t value = 0;
  std::uint32_t count = 0;
  const auto run = [](const HostBody& body) { run_grid({{2, 1, 1}, 1, 16}, body); };
  EXPECT_THROW(run([&](HostContext& context) {
                 context.fence_system();
                 context.store(&value, 1U);
                 context.atomic_add(&count, 1);
               }),
               std::logic_error);
  EXPECT_THROW(run([&](HostContext& context) {
                 context.fence_system();
                 context.sync();  // others may have stored before it
                 context.atomic_add(&count, 1);
               }),
               std::logic_error);
  EXPECT_EQ(count, 0U);
  run([&](HostContext& context) {
    context.store(&value, 1U);
    context.sync();
    context.fence_system();
    context.atomic_add(&count, 1);
  });
  EXPECT_EQ(count, 2U);
}

TEST(HostExecutorTest, SharedMemoryBeginsAsNans) {
  for (const Threads threads : {Threads::kFibers, Threads::kThreads}) {
    std::atomic<int> nans{0};
    run_grid({{5, 1, 1}, 4, 4 * sizeof(float)},
             [&](HostContext& context) {
               float& own = context.shared<float>()[context.thread()];
               if (std::isnan(own)) ++nans;
               own = 1;
             },
             {1, threads});
    EXPECT_EQ(nans, 20);
  }
}

}  // namespace
}  // namespace firbank::test
