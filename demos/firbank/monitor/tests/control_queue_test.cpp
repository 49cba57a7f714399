#include "demos/firbank/monitor/control_queue.hpp"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using namespace std::chrono_literals;
using Outcome = ControlAnswer::Outcome;

/// A loop that carries out requests every millisecond, as a run's would.
class Loop {
 public:
  template <class CarryOut>
  Loop(ControlQueue& queue, CarryOut carry_out)
      : thread_([this, &queue, carry_out] {
          while (!done_) {
            queue.serve(carry_out);
            std::this_thread::sleep_for(1ms);
          }
        }) {}
  ~Loop() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

TEST(ControlQueue, CarriesOutInTheLoopsThreadAndAnswers) {
  ControlQueue queue;
  std::atomic<std::thread::id> carried_out_in{};
  double gain_db = 0;
  {
    const Loop loop(queue, [&](const ControlRequest& request) -> ControlAnswer {
      carried_out_in = std::this_thread::get_id();
      gain_db = std::get<SetGain>(request).gain_db;
      if (gain_db > 10) return {Outcome::kRefused, "too loud"};
      return {};
    });
    EXPECT_EQ(queue.ask(SetGain{-3}, 5s).outcome, Outcome::kDone);
    EXPECT_EQ(gain_db, -3);
    const ControlAnswer refused = queue.ask(SetGain{11}, 5s);
    EXPECT_EQ(refused.outcome, Outcome::kRefused);
    EXPECT_EQ(refused.why, "too loud");
  }
  EXPECT_NE(carried_out_in.load(), std::this_thread::get_id());
}

TEST(ControlQueue, AnswersEachOfManyWhoAskAtOnce) {
  ControlQueue queue;
  std::atomic<int> carried_out{0};
  const Loop loop(queue, [&](const ControlRequest& request) -> ControlAnswer {
    ++carried_out;
    return {Outcome::kRefused, std::to_string(*std::get<Choose>(request).index)};
  });
  std::atomic<int> wrong{0};
  std::vector<std::thread> askers;
  for (std::size_t asker = 0; asker < ControlQueue::kMostWaiting; ++asker) {
    askers.emplace_back([&, asker] {
      for (std::size_t i = 0; i < 50; ++i) {
        const std::size_t number = asker * 1'000 + i;
        if (queue.ask(Choose{number, {}}, 10s).why != std::to_string(number)) ++wrong;
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(carried_out, static_cast<int>(ControlQueue::kMostWaiting) * 50);
}

TEST(ControlQueue, TakesBackWhatNobodyTookInTime) {
  ControlQueue queue;
  EXPECT_EQ(queue.ask(SetBypass{true}, 5ms).outcome, Outcome::kBusy);
  queue.serve([](const ControlRequest&) -> ControlAnswer {
    ADD_FAILURE() << "it was to be taken back";
    return {};
  });
}

TEST(ControlQueue, WaitsForWhatWasBegun) {
  ControlQueue queue;
  auto asked = std::async(std::launch::async, [&] { return queue.ask(SetLimiter{true}, 20ms); });
  bool carried_out = false;
  while (!carried_out) {
    queue.serve([&](const ControlRequest&) -> ControlAnswer {
      std::this_thread::sleep_for(100ms);
      carried_out = true;
      return {};
    });
    // Taken back already on a busy machine: asked anew.
    if (!carried_out && asked.wait_for(0ms) == std::future_status::ready) {
      asked = std::async(std::launch::async, [&] { return queue.ask(SetLimiter{true}, 20ms); });
    }
  }
  EXPECT_EQ(asked.get().outcome, Outcome::kDone);
}

TEST(ControlQueue, RefusesWhatFails) {
  ControlQueue queue;
  const Loop loop(
      queue, [](const ControlRequest&) -> ControlAnswer { throw std::runtime_error("no memory"); });
  const ControlAnswer answer = queue.ask(SetBypass{true}, 5s);
  EXPECT_EQ(answer.outcome, Outcome::kRefused);
  EXPECT_EQ(answer.why, "no memory");
}

TEST(ControlQueue, LetsOnlySoManyWait) {
  ControlQueue queue;
  std::vector<std::future<ControlAnswer>> waiting;
  for (std::size_t i = 0; i < ControlQueue::kMostWaiting + 4; ++i) {
    waiting.push_back(
        std::async(std::launch::async, [&] { return queue.ask(SetBypass{true}, 400ms); }));
  }
  std::size_t turned_away = 0;
  for (auto& one : waiting) {
    const ControlAnswer answer = one.get();
    EXPECT_EQ(answer.outcome, Outcome::kBusy);
    if (answer.why == "too many requests wait") ++turned_away;
  }
  EXPECT_EQ(turned_away, 4u);
}

TEST(ControlQueue, EndsForAllWhoWaitAndAsk) {
  ControlQueue queue;
  auto waiting = std::async(std::launch::async, [&] { return queue.ask(SetBypass{true}, 60s); });
  std::this_thread::sleep_for(20ms);
  queue.close();
  EXPECT_EQ(waiting.get().outcome, Outcome::kEnded);
  EXPECT_EQ(queue.ask(SetBypass{true}, 60s).outcome, Outcome::kEnded);
}

}  // namespace
}  // namespace firbank::program
