#include "demos/firbank/live_keys.hpp"

namespace firbank::program {

std::optional<ControlRequest> request_of(char key, const LiveStatus& status, std::size_t choice,
                                         std::size_t choices) {
  constexpr double kGainStepDb = 1;
  switch (key) {
    case 'b':
      return SetBypass{!status.bypass};
    case 'l':
      return SetLimiter{!status.limiter};
    case '+':
    case '=':
      return SetGain{status.gain_db + kGainStepDb};
    case '-':
    case '_':
      return SetGain{status.gain_db - kGainStepDb};
    case 'n':
      return Choose{(choice + 1) % choices, {}};
    case 'p':
      return Choose{(choice + choices - 1) % choices, {}};
    default:
      break;
  }
  if (key < '1' || key > '9' || static_cast<std::size_t>(key - '1') >= choices) return std::nullopt;
  return Choose{static_cast<std::size_t>(key - '1'), {}};
}

}  // namespace firbank::program
