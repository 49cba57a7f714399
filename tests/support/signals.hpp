// Comparing a signal with its oracle, with a message that tells where it went wrong.
#pragma once

#include <gtest/gtest.h>

#include "engine/reference.hpp"

namespace firbank::test {

/// The largest relative error that the engine allows itself.
template <class Sample>
inline constexpr double kErrorLimit = sizeof(Sample) == 4 ? 1e-6 : 1e-13;

/// Whether every channel of `actual` is as long as that of `oracle`, NaN where the oracle is and
/// nowhere else, and within `limit` of it by relative_error(). The message tells the worst
/// channel's error in dB and the first frame that differs.
testing::AssertionResult follows(const Signal& actual, const Signal& oracle, double limit);

/// Frames [first, first + frames) of every channel; zeros beyond the end.
Signal cut(const Signal& signal, std::size_t first, std::size_t frames);

/// a with b behind it, channel by channel.
Signal joined(Signal a, const Signal& b);

}  // namespace firbank::test
