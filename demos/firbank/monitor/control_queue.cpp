#include "demos/firbank/monitor/control_queue.hpp"

#include <algorithm>
#include <exception>

namespace firbank::program {

using Outcome = ControlAnswer::Outcome;

ControlAnswer ControlQueue::ask(const ControlRequest& request, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (closed_) return {Outcome::kEnded, "the run has ended"};
  if (waiting_.size() >= kMostWaiting) return {Outcome::kBusy, "too many requests wait"};
  Waiting mine{&request, std::nullopt};
  waiting_.push_back(&mine);
  const auto is_answered = [&] { return mine.answer.has_value(); };
  if (!answered_.wait_for(lock, patience, is_answered)) {
    const auto place = std::find(waiting_.begin(), waiting_.end(), &mine);
    if (place != waiting_.end()) {
      waiting_.erase(place);
      return {Outcome::kBusy, "the run is busy; nothing was changed"};
    }
    answered_.wait(lock, is_answered);
  }
  return *mine.answer;
}

void ControlQueue::serve(const std::function<ControlAnswer(const ControlRequest&)>& carry_out) {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    Waiting* const next = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    ControlAnswer answer;
    try {
      answer = carry_out(*next->request);
    } catch (const std::exception& error) {
      answer = {Outcome::kRefused, error.what()};
    }
    lock.lock();
    next->answer = std::move(answer);
    answered_.notify_all();
  }
}

void ControlQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (Waiting* const one : waiting_) {
    one->answer = ControlAnswer{Outcome::kEnded, "the run has ended"};
  }
  waiting_.clear();
  answered_.notify_all();
}

}  // namespace firbank::program
