#include "demos/firbank/doctor/memory_readings.hpp"

#include <fmt/format.h>

#include "demos/firbank/bench/machine/machine_facts.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {

Reading huge_page_reading(const SystemFiles& files) {
  Reading reading("huge_pages", "huge pages");
  const auto mode = transparent_huge_pages(files);
  if (!mode) {
    if (!files.exists("/sys/kernel/mm")) return reading;
    return std::move(reading).absent("the kernel has none that are transparent");
  }
  if (*mode == "always") return std::move(reading).good("always");
  if (*mode == "madvise") {
    return std::move(reading).good("madvise: on request, and the engine asks for them");
  }
  return std::move(reading).costs(
      *mode,
      "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled. Costs: memory, a "
      "little, and only of programs that ask");
}

Reading free_memory_reading(const SystemFiles& files) {
  Reading reading("free_memory", "free memory");
  const auto all = memory_bytes(files, "MemTotal");
  const auto available = memory_bytes(files, "MemAvailable");
  if (!all || !available || *all == 0 || *available > *all) return reading;
  const std::string text = fmt::format("{} of {}", bytes(static_cast<double>(*available)),
                                       bytes(static_cast<double>(*all)));
  constexpr double kEnough = 0.1;
  if (static_cast<double>(*available) >= kEnough * static_cast<double>(*all)) {
    return std::move(reading).good(text);
  }
  return std::move(reading).costs(
      text + "; the kernel looks for pages to take back when one is wanted",
      "close what holds the most: top, then M. firbank's --memory-limit keeps it smaller");
}

Reading swap_reading(const SystemFiles& files) {
  Reading reading("swap", "swap");
  const auto all = memory_bytes(files, "SwapTotal");
  const auto available = memory_bytes(files, "SwapFree");
  if (!all || !available || *available > *all) return reading;
  if (*all == 0) return std::move(reading).good("there is none: no page is fetched from there");
  const auto used = static_cast<double>(*all - *available);
  const std::string text =
      fmt::format("{} of {} is used", bytes(used), bytes(static_cast<double>(*all)));
  if (used == 0) return std::move(reading).good(text);
  return std::move(reading).costs(
      text + "; a page of it takes milliseconds to fetch",
      "as root: swapoff -a && swapon -a, while memory is free; or lock the memory (above). Costs: "
      "the time that it takes");
}

}  // namespace firbank::program
