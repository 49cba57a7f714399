// A context for kernel bodies on the host that looks at the answers at the moment when the host is
// told of them: all have to be there by then.
//
// Thread: as HostContext; one thread of a launch tells.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "tests/support/host_executor.hpp"

namespace firbank::test {

class WatchingContext : public HostContext {
 public:
  /// `answers` are NaN until they are written. `complete` becomes whether all were when the host
  /// was told, and `told` counts how often it was.
  WatchingContext(const HostContext& context, std::span<const float> answers, bool& complete,
                  int& told)
      : HostContext(context), answers_(answers), complete_(complete), told_(told) {}

  void store_release(std::uint64_t* to, std::uint64_t value) {
    ++told_;
    complete_ = std::ranges::none_of(answers_, [](float sample) { return std::isnan(sample); });
    HostContext::store_release(to, value);
  }

 private:
  std::span<const float> answers_;
  bool& complete_;
  int& told_;
};

}  // namespace firbank::test
