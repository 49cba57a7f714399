#include "demos/firbank/bench/machine/environment.hpp"

#include <ctime>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "capi/firbank.h"
#include "demos/firbank/bench/machine/build_facts.hpp"
#include "demos/firbank/bench/machine/machine_facts.hpp"
#include "kernels/backends.hpp"

#if defined(__has_feature)
#define FIRBANK_HAS_FEATURE(name) __has_feature(name)
#else
#define FIRBANK_HAS_FEATURE(name) 0
#endif

namespace firbank::program {
namespace {

using nlohmann::ordered_json;

#ifdef NDEBUG
constexpr bool kAssertions = false;
#else
constexpr bool kAssertions = true;
#endif

#if defined(__SANITIZE_ADDRESS__) || FIRBANK_HAS_FEATURE(address_sanitizer)
constexpr const char* kSanitizer = "address";
#elif defined(__SANITIZE_THREAD__) || FIRBANK_HAS_FEATURE(thread_sanitizer)
constexpr const char* kSanitizer = "thread";
#elif FIRBANK_HAS_FEATURE(realtime_sanitizer)
constexpr const char* kSanitizer = "realtime";
#else
constexpr const char* kSanitizer = nullptr;
#endif

#ifdef __OPTIMIZE__
constexpr bool kOptimised = true;
#else
constexpr bool kOptimised = false;
#endif

template <class Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

ordered_json processor_json(const SystemFiles& files) {
  const CgroupQuota quota = cgroup_quota(files);
  return {{"name", processor_name(files)},
          {"there", or_null(processors_there(files))},
          {"allowed", or_null(processors_allowed(files))},
          {"cgroup_quota", or_null(quota.processors)},
          {"governor", or_null(frequency_governor(files))},
          {"frequency_driver", or_null(frequency_driver(files))},
          {"load_averages", or_null(load_averages(files))},
          {"pressure_percent", or_null(processor_pressure_percent(files))}};
}

ordered_json backends_json() {
  auto list = ordered_json::array();
  for (const BackendInfo& backend : list_backends()) {
    list.push_back({{"name", backend.name},
                    {"instruction_set", backend.instruction_set},
                    {"available", backend.available},
                    {"reason", backend.available ? ordered_json() : ordered_json(backend.reason)}});
  }
  return list;
}

}  // namespace

ordered_json begin_report(const std::string& kind) {
  return {{"schema", fmt::format("firbank.bench.{}.1", kind)},
          {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
          {"program", program_json()},
          {"environment", environment_json()}};
}

ordered_json environment_json(const SystemFiles& files) {
  return {{"processor", processor_json(files)},
          {"kernel", or_null(kernel_release(files))},
          {"preemption", or_null(kernel_preemption(files))},
          {"hypervisor", or_null(hypervisor(files))},
          {"memory_bytes", or_null(memory_bytes(files, "MemTotal"))},
          {"memory_available_bytes", or_null(memory_bytes(files, "MemAvailable"))},
          {"clock_source", or_null(clock_source(files))},
          {"transparent_huge_pages", or_null(transparent_huge_pages(files))},
          {"gpus", nvidia_gpus(files)},
          {"gpu_driver", or_null(nvidia_driver(files))}};
}

ordered_json program_json() {
  return {{"version", kBuildFacts.version},
          {"commit", kBuildFacts.commit},
          {"compiler", kBuildFacts.compiler},
          {"flags", kBuildFacts.flags},
          {"build_type", kBuildFacts.build_type},
          {"target", kBuildFacts.target},
          {"assertions", kAssertions},
          {"sanitizer", kSanitizer == nullptr ? ordered_json() : ordered_json(kSanitizer)},
          {"library_version", firbank_version()},
          {"backends", backends_json()}};
}

std::string slow_build() {
  if (kSanitizer != nullptr) return fmt::format("built with the {} sanitizer", kSanitizer);
  if (!kOptimised) return "built without optimisation";
  if (kAssertions) return "built with assertions";
  return "";
}

}  // namespace firbank::program
