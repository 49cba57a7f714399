// The clocks of the laboratory, and a sleep until a time of one of them.
//
// Thread:   any.
// Realtime: reading is safe; sleeping is what it says.
#pragma once

#include <cstdint>
#include <string>

namespace firbank::program {

/// Nanoseconds of CLOCK_MONOTONIC: of every time in a report. Never set, slewed by NTP.
std::int64_t now_ns() noexcept;

/// Nanoseconds that processors have spent on all threads of this process. A system call.
std::int64_t process_cpu_ns() noexcept;

/// Sleeps to the absolute time `until_ns` of now_ns(), whatever signals come; returns at once when
/// it has passed.
void sleep_until_ns(std::int64_t until_ns) noexcept;

struct ClockFacts {
  std::string name = "CLOCK_MONOTONIC";
  std::string source;        // the kernel's: "tsc", "kvm-clock"; empty where it does not tell
  double resolution_ns = 0;  // as clock_getres tells
  double read_ns = 0;        // what one reading takes, measured: the least of a few rounds
};

ClockFacts measure_clock();

}  // namespace firbank::program
