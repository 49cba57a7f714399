#include "tests/support/rt_guard.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace firbank::rt_guard {
namespace {

// The kernel reads this byte at every system call of a thread that asked for it.
enum SyscallGate : char { kLetThrough = 0, kTrap = 1 };
thread_local volatile char gate = kLetThrough;
thread_local bool guarded = false;
thread_local bool armed = false;

constexpr int kMaxCallers = 24;
std::atomic<long> violation_count{0};
const char* first_name = nullptr;
long first_number = -1;
void* first_callers[kMaxCallers];
int first_caller_count = 0;
std::atomic<int> arming_error{0};

void count_violation(const char* what, long number = -1) noexcept {
  const char gate_before = gate;
  guarded = false;  // what is called here may itself be trapped
  gate = kLetThrough;
  if (violation_count.fetch_add(1) == 0) {
    first_name = what;
    first_number = number;
    first_caller_count = backtrace(first_callers, kMaxCallers);
  }
  guarded = true;
  gate = gate_before;
}

#if defined(__x86_64__)
// Counts the call, makes it after all, and lets the rest of the scope through: returning from a
// signal is a system call as well.
void on_trapped_call(int, siginfo_t* info, void* context) {
  const int errno_before = errno;
  gate = kLetThrough;
  count_violation("system call", info->si_syscall);
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const long result =
      syscall(info->si_syscall, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
              registers[REG_R10], registers[REG_R8], registers[REG_R9]);
  registers[REG_RAX] = result < 0 ? -errno : result;
  errno = errno_before;
}

int arm_this_thread() noexcept {
  constexpr int kSetSyscallUserDispatch = 59;  // PR_SET_SYSCALL_USER_DISPATCH
  constexpr unsigned long kDispatchOn = 1;     // PR_SYS_DISPATCH_ON
  struct sigaction action {};
  action.sa_sigaction = on_trapped_call;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGSYS, &action, nullptr) != 0) return errno;
  if (prctl(kSetSyscallUserDispatch, kDispatchOn, 0UL, 0UL, &gate) != 0) return errno;
  return 0;
}
#else
int arm_this_thread() noexcept {
  return ENOSYS;
}
#endif

template <class Violate>
bool catches(Violate violate) {
  forget();
  {
    const Scope scope;
    violate();
  }
  const bool caught = violations() > 0;
  forget();
  return caught;
}

}  // namespace

Scope::Scope(Watch watch) noexcept : guards_(true) {
  if (!armed) {
    armed = true;
    void* caller[1];
    backtrace(caller, 1);  // the first call loads a library, which allocates
    arming_error = arm_this_thread();
  }
  guarded = true;
  if (watch == Watch::kEverything) gate = kTrap;
}

Scope::~Scope() {
  if (!guards_) return;
  gate = kLetThrough;
  guarded = false;
}

std::string why_not() {
  if (!catches([] {
        void* volatile memory = std::malloc(16);
        std::free(memory);
      })) {
    return "allocations cannot be trapped in this program";
  }
  if (!catches([] {
        std::mutex mutex;
        mutex.lock();
        mutex.unlock();
      })) {
    return "locks cannot be trapped in this program";
  }
  if (!catches([] { getppid(); })) {
    return std::string("system calls cannot be trapped on this machine: ") +
           std::strerror(arming_error);
  }
  return {};
}

long violations() noexcept {
  return violation_count;
}

std::string first_violation() {
  if (violation_count == 0) return {};
  std::string text = first_name;
  if (first_number >= 0) text.append(" ").append(std::to_string(first_number));
  char** const callers = backtrace_symbols(first_callers, first_caller_count);
  for (int i = 0; callers != nullptr && i < first_caller_count; ++i) {
    text.append("\n  ").append(callers[i]);
  }
  std::free(callers);
  return text;
}

void forget() noexcept {
  violation_count = 0;
  first_name = nullptr;
  first_number = -1;
}

namespace {

inline void check(const char* what) noexcept {
  if (guarded) [[unlikely]]
    count_violation(what);
}

// The C library's own function behind one that this file stands in for. Condition variables have
// an old version under the same name on x86-64, which dlsym alone would find.
template <class Function>
Function* behind(std::atomic<Function*>& cache, const char* name) noexcept {
  Function* function = cache.load(std::memory_order_relaxed);
  if (function == nullptr) {
    const bool was_guarded = guarded;
    guarded = false;
    void* symbol = nullptr;
#if defined(__x86_64__)
    if (std::strncmp(name, "pthread_cond_", 13) == 0)
      symbol = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
#endif
    if (symbol == nullptr) symbol = dlsym(RTLD_NEXT, name);
    guarded = was_guarded;
    function = reinterpret_cast<Function*>(symbol);
    cache.store(function, std::memory_order_relaxed);
  }
  return function;
}

}  // namespace
}  // namespace firbank::rt_guard

// Stand-ins for the C library's functions. Those for memory forward to the names under which glibc
// keeps its own; looking them up by dlsym would need memory.
extern "C" {

void* __libc_malloc(std::size_t bytes);
void __libc_free(void* memory);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) noexcept {
  firbank::rt_guard::check("malloc");
  return __libc_malloc(bytes);
}

void free(void* memory) noexcept {
  if (memory != nullptr) firbank::rt_guard::check("free");
  __libc_free(memory);
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
  firbank::rt_guard::check("calloc");
  return __libc_calloc(count, bytes);
}

void* realloc(void* memory, std::size_t bytes) noexcept {
  firbank::rt_guard::check("realloc");
  return __libc_realloc(memory, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  firbank::rt_guard::check("aligned_alloc");
  return __libc_memalign(alignment, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  firbank::rt_guard::check("memalign");
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  firbank::rt_guard::check("posix_memalign");
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

#define FIRBANK_STAND_IN(function, Argument)                                     \
  int function(Argument* argument) noexcept {                                    \
    static std::atomic<int (*)(Argument*)> next{nullptr};                        \
    firbank::rt_guard::check(#function);                                         \
    return firbank::rt_guard::behind<int(Argument*)>(next, #function)(argument); \
  }

FIRBANK_STAND_IN(pthread_mutex_lock, pthread_mutex_t)
FIRBANK_STAND_IN(pthread_rwlock_rdlock, pthread_rwlock_t)
FIRBANK_STAND_IN(pthread_rwlock_wrlock, pthread_rwlock_t)
FIRBANK_STAND_IN(pthread_cond_signal, pthread_cond_t)
FIRBANK_STAND_IN(pthread_cond_broadcast, pthread_cond_t)

#undef FIRBANK_STAND_IN
}
