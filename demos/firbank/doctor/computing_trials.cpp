#include "demos/firbank/doctor/computing_trials.hpp"

#include <memory>

#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/bench/machine/machine_facts.hpp"
#include "demos/firbank/bench/machine/real_time_thread.hpp"
#include "demos/firbank/doctor/mapped_memory.hpp"
#include "kernels/cpu/denormals.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kMebibyte = 1'048'576;
constexpr std::size_t kSweepMebibytes = 64;
/// What the compiler must not see through, or leave out.
volatile std::size_t sink_of_sweeps = 0;
volatile float sink_of_steps = 0;

const RealTimeRequest kLocked{.priority = 0, .lock_memory = true, .processor = {}};

/// Measures `work` until a repeat's share of the time is over, once at least.
template <class Work>
void repeat_for(std::int64_t repeat_ns, std::vector<double>& values_us, const Work& work) {
  const std::int64_t end_ns = now_ns() + repeat_ns;
  do {
    const std::optional<std::int64_t> took_ns = work();
    if (!took_ns) return;
    values_us.push_back(1e-3 * static_cast<double>(*took_ns));
  } while (now_ns() < end_ns);
}

/// None where the system gives no memory, as beyond what may be locked.
std::optional<std::int64_t> first_touch_ns(bool populated) {
  MappedMemory memory(kMebibyte, populated);
  if (memory.data() == nullptr) return std::nullopt;
  const std::int64_t begin_ns = now_ns();
  memory.touch();
  return now_ns() - begin_ns;
}

/// One of the recursion's: never zero, always below the smallest normal float.
[[gnu::noinline]] float decayed(std::size_t steps, float decay, float input) {
  float state = input;
  for (std::size_t n = 0; n < steps; ++n) state = state * decay + input;
  return state;
}

std::int64_t recursion_ns() {
  constexpr std::size_t kSteps = 65'536;
  const volatile float decay = 0.5f, input = 1e-40f;
  const std::int64_t begin_ns = now_ns();
  sink_of_steps = decayed(kSteps, decay, input);
  return now_ns() - begin_ns;
}

}  // namespace

std::optional<Trial> try_locked_memory(const TrialRules& rules) {
  // Locking walks over all that the process has, which is not what is measured, but takes time.
  const std::int64_t repeat_ns = rules.repeat_ns / 20;
  const bool locks = is_permitted(kLocked);
  const Repeat untouched = [repeat_ns](std::vector<double>& values_us) {
    repeat_for(repeat_ns, values_us, [] { return first_touch_ns(false); });
  };
  const Repeat present = [repeat_ns, locks](std::vector<double>& values_us) {
    const auto lent = locks ? std::make_unique<RealTimeThread>(kLocked) : nullptr;
    repeat_for(repeat_ns, values_us, [locks] { return first_touch_ns(!locks); });
  };
  return run_trial({"first touch of a MiB", "pages fetched as they are touched",
                    locks ? "memory locked by mlockall" : "pages fetched beforehand"},
                   untouched, present, rules);
}

std::optional<Trial> try_huge_pages(const TrialRules& rules, const SystemFiles& files) {
  const char* const usage = "/proc/self/smaps_rollup";
  const auto huge_kibibytes = [&] {
    const auto value = files.field(usage, "AnonHugePages");
    return value ? whole_number_of(words(*value).front()) : std::nullopt;
  };
  const auto before = huge_kibibytes();
  MappedMemory huge(kSweepMebibytes * kMebibyte, false);
  MappedMemory small(kSweepMebibytes * kMebibyte, false);
  if (!huge.ask_for_huge_pages(true) || !small.ask_for_huge_pages(false)) return std::nullopt;
  huge.touch();
  small.touch();
  const auto after = huge_kibibytes();
  constexpr std::int64_t kMostOfThem = kSweepMebibytes * 1'024 / 2;
  if (!before || !after || *after - *before < kMostOfThem) return std::nullopt;

  const std::int64_t repeat_ns = rules.repeat_ns / 10;
  const auto sweep_ns = [](const MappedMemory& memory) {
    const std::int64_t begin_ns = now_ns();
    sink_of_sweeps = memory.sweep();
    return (now_ns() - begin_ns) / static_cast<std::int64_t>(kSweepMebibytes);
  };
  const auto sweeps = [&, repeat_ns](const MappedMemory& memory) {
    return [&, repeat_ns](std::vector<double>& values_us) {
      repeat_for(repeat_ns, values_us, [&] { return sweep_ns(memory); });
    };
  };
  return run_trial(
      {"a MiB of a sweep over 64 MiB", "huge pages, which the engine asks for", "small pages"},
      sweeps(huge), sweeps(small), rules);
}

std::optional<Trial> try_subnormals(const TrialRules& rules) {
  const std::int64_t repeat_ns = rules.repeat_ns / 20;
  const Repeat flushed = [repeat_ns](std::vector<double>& values_us) {
    const FlushDenormals flush;
    repeat_for(repeat_ns, values_us, recursion_ns);
  };
  const Repeat computed = [repeat_ns](std::vector<double>& values_us) {
    repeat_for(repeat_ns, values_us, recursion_ns);
  };
  return run_trial({"65,536 steps of a recursion on subnormal numbers",
                    "flushed to zero, as the engine does", "computed"},
                   flushed, computed, rules);
}

}  // namespace firbank::program
