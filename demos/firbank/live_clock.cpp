#include "demos/firbank/live_clock.hpp"

#include <cmath>

#include "demos/firbank/interrupt.hpp"

namespace firbank::program {
namespace {

constexpr std::int64_t kNsASecond = 1'000'000'000;

std::int64_t now_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNsASecond + now.tv_nsec;
}

}  // namespace

void LiveClock::start() noexcept {
  start_ns_ = now_ns();
}

std::int64_t LiveClock::time_of(std::int64_t frame) const noexcept {
  return start_ns_ + std::llround(ns_a_frame_ * static_cast<double>(frame));
}

bool LiveClock::wait_for(std::int64_t frame) const noexcept {
  const std::int64_t time = time_of(frame);
  timespec until{};
  until.tv_sec = time / kNsASecond;
  until.tv_nsec = time % kNsASecond;
  while (!interrupt_requested()) {
    if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == 0) return true;
  }
  return false;
}

bool LiveClock::is_past(std::int64_t frame) const noexcept {
  return now_ns() > time_of(frame);
}

}  // namespace firbank::program
