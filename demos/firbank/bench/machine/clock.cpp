#include "demos/firbank/bench/machine/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <limits>

namespace firbank::program {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace

std::int64_t now_ns() noexcept {
  return read_clock(CLOCK_MONOTONIC);
}

std::int64_t process_cpu_ns() noexcept {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void sleep_until_ns(std::int64_t until_ns) noexcept {
  const timespec until{until_ns / kSecond, until_ns % kSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

ClockFacts measure_clock() {
  ClockFacts facts;
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  file >> facts.source;
  timespec resolution{};
  clock_getres(CLOCK_MONOTONIC, &resolution);
  facts.resolution_ns = static_cast<double>(resolution.tv_sec * kSecond + resolution.tv_nsec);
  constexpr int kReadings = 1'000;
  facts.read_ns = std::numeric_limits<double>::max();
  for (int round = 0; round < 20; ++round) {
    const std::int64_t begin = now_ns();
    for (int n = 0; n < kReadings; ++n) static_cast<void>(now_ns());
    const auto took = static_cast<double>(now_ns() - begin);
    facts.read_ns = std::min(facts.read_ns, took / (kReadings + 1));
  }
  return facts;
}

}  // namespace firbank::program
