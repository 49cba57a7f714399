// RtGuard on top of RealtimeSanitizer: a Scope is a real-time context, and the sanitizer's reports
// are the violations. It tells "unsafe-library-call" for whatever was called, and cannot let system
// calls alone pass, so a Scope that does so watches nothing.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>

#include "tests/support/rt_guard.hpp"

extern "C" {
void __rtsan_realtime_enter();
void __rtsan_realtime_exit();

// The sanitizer asks for its options here, and tells each report here.
__attribute__((visibility("default"))) const char* __rtsan_default_options() {
  return "halt_on_error=false:suppress_equal_stacks=false";
}
__attribute__((visibility("default"))) void __sanitizer_report_error_summary(const char* summary);
}

namespace firbank::rt_guard {
namespace {

std::atomic<long> count{0};
char first[256];

}  // namespace

std::string why_not() {
  forget();
  {
    const Scope scope;
    void* volatile memory = std::malloc(64);
    std::free(memory);
  }
  const bool caught = violations() > 0;
  forget();
  return caught ? "" : "RealtimeSanitizer did not report a malloc";
}

Scope::Scope(Watch watch) noexcept : guards_(watch == Watch::kEverything) {
  if (guards_) __rtsan_realtime_enter();
}
Scope::~Scope() {
  if (guards_) __rtsan_realtime_exit();
}

long violations() noexcept {
  return count.load();
}
std::string first_violation() {
  return first;
}
void forget() noexcept {
  count = 0;
  first[0] = '\0';
}

}  // namespace firbank::rt_guard

void __sanitizer_report_error_summary(const char* summary) {
  using namespace firbank::rt_guard;
  if (count.fetch_add(1) > 0) return;
  std::size_t n = 0;
  for (; summary[n] != '\0' && n + 1 < sizeof first; ++n) first[n] = summary[n];
  first[n] = '\0';
}
