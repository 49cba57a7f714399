#include "demos/firbank/bench/machine/real_time_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

namespace firbank::program {
namespace {

int result_of(int returned) {
  return returned == 0 ? 0 : errno;
}

/// What the system's answer means here; empty for none.
std::string reason(const std::string& what, int error) {
  if (error == 0) return "";
  const bool is_right = error == EPERM || error == ENOMEM;
  if (is_right && what.starts_with("SCHED")) return "no right to it (ulimit -r, CAP_SYS_NICE)";
  if (is_right && what.starts_with("mlock")) return "no right to it (ulimit -l, CAP_IPC_LOCK)";
  return std::strerror(error);
}

}  // namespace

struct RealTimeThread::Before {
  int policy = SCHED_OTHER;
  sched_param parameters{};
  cpu_set_t processors{};
  int slack_ns = 0;
  bool scheduled = false;
  bool locked = false;
  bool pinned = false;
};

std::size_t last_allowed_processor() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  sched_getaffinity(0, sizeof(processors), &processors);
  std::size_t last = 0;
  for (std::size_t n = 0; n < CPU_SETSIZE; ++n) {
    if (CPU_ISSET(n, &processors)) last = n;
  }
  return last;
}

bool is_allowed_processor(std::size_t processor) {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  sched_getaffinity(0, sizeof(processors), &processors);
  return processor < CPU_SETSIZE && CPU_ISSET(processor, &processors);
}

RealTimeThread::RealTimeThread(const RealTimeRequest& request)
    : before_(std::make_unique<Before>()) {
  Before& before = *before_;
  pthread_getschedparam(pthread_self(), &before.policy, &before.parameters);
  sched_getaffinity(0, sizeof(before.processors), &before.processors);
  before.slack_ns = prctl(PR_GET_TIMERSLACK);

  note("timer slack of 1 ns", result_of(prctl(PR_SET_TIMERSLACK, 1UL)));
  if (request.processor) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(*request.processor, &one);
    before.pinned = true;
    note(fmt::format("processor {} alone", *request.processor),
         result_of(sched_setaffinity(0, sizeof(one), &one)));
  }
  if (request.lock_memory) {
    const int error = result_of(mlockall(MCL_CURRENT | MCL_FUTURE));
    before.locked = error == 0;
    note("mlockall", error);
  }
  if (request.priority > 0) {
    sched_param parameters{};
    parameters.sched_priority = request.priority;
    const int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
    before.scheduled = error == 0;
    note(fmt::format("SCHED_FIFO, priority {}", request.priority), error);
  }
}

RealTimeThread::~RealTimeThread() {
  const Before& before = *before_;
  if (before.scheduled) pthread_setschedparam(pthread_self(), before.policy, &before.parameters);
  if (before.locked) munlockall();
  if (before.pinned) sched_setaffinity(0, sizeof(before.processors), &before.processors);
  prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before.slack_ns));
}

void RealTimeThread::note(std::string what, int error) {
  std::string why_not = reason(what, error);
  grants_.push_back({std::move(what), error == 0, std::move(why_not)});
}

bool is_permitted(const RealTimeRequest& request) {
  const RealTimeThread thread(request);
  const std::vector<Grant>& grants = thread.grants();
  return std::all_of(grants.begin(), grants.end(), [](const Grant& one) { return one.granted; });
}

}  // namespace firbank::program
