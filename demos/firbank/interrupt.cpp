#include "demos/firbank/interrupt.hpp"

#include <array>
#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "io/interruption.hpp"

namespace firbank::program {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

std::atomic<int> requests{0};
std::atomic<bool> reload_requested{false};
std::atomic<bool> input_watched{false};
std::atomic<bool> output_watched{false};
std::atomic<int> null_descriptor{-1};
std::atomic<int> requests_answered{0};
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int signal) {
  const int saved_errno = errno;
  const int before = requests.fetch_add(1);
  if (before >= requests_answered.load()) {
    std::signal(signal, SIG_DFL);
    raise(signal);
  }
  const int null = null_descriptor.load();
  if (null >= 0) {
    if (input_watched) dup2(null, STDIN_FILENO);
    if (before > 0 && output_watched) dup2(null, STDOUT_FILENO);
  }
  errno = saved_errno;
}

}  // namespace

void install_interrupt_handlers(int answered) {
  requests_answered = answered;
  null_descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);
  struct sigaction action = {};
  action.sa_handler = handle;  // without SA_RESTART: a sleep or a read is to return
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) {
    // What was ignored from the start stays so: nohup, and commands that a script puts behind.
    struct sigaction before = {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
  set_stop_requests([]() noexcept { return requests.load(std::memory_order_relaxed); });
}

void take_hangups_as_reloads() {
  struct sigaction before = {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = [](int) { reload_requested = true; };
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, nullptr);
}

bool take_reload_request() noexcept {
  return reload_requested.exchange(false);
}

void watch_standard_streams(bool input, bool output) noexcept {
  input_watched = input;
  output_watched = output;
}

bool interrupt_requested() noexcept {
  return requests.load(std::memory_order_relaxed) > 0;
}

SignalsForMainThread::SignalsForMainThread() {
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : kSignals) sigaddset(&blocked, signal);
  pthread_sigmask(SIG_BLOCK, &blocked, &before_);
}

SignalsForMainThread::~SignalsForMainThread() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace firbank::program
