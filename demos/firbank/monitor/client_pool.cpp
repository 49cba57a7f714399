#include "demos/firbank/monitor/client_pool.hpp"

#include <utility>

#include <pthread.h>
#include <sched.h>

namespace firbank::program {
namespace {

thread_local bool turning_away = false;

}  // namespace

void leave_real_time() noexcept {
  const sched_param ordinary{};
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &ordinary);
}

ClientPool::ClientPool(std::size_t threads, std::size_t waiting) : most_waiting_(waiting) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ClientPool::~ClientPool() {
  shutdown();
}

void ClientPool::enqueue(std::function<void()> serve) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < most_waiting_) {
      waiting_.push_back(std::move(serve));
      changed_.notify_one();
      return;
    }
  }
  turning_away = true;
  serve();
  turning_away = false;
}

void ClientPool::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool ClientPool::turns_away() noexcept {
  return turning_away;
}

void ClientPool::work() {
  leave_real_time();
  for (;;) {
    std::function<void()> serve;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      serve = std::move(waiting_.front());
      waiting_.pop_front();
    }
    serve();
  }
}

}  // namespace firbank::program
