#include "demos/firbank/serve_losses.hpp"

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {

void ServeLosses::add(const InputLoss& loss) {
  tell(loss);
  newest_.push_back(loss);
  if (newest_.size() > kMostNewest) newest_.pop_front();
  if (listed_.size() < kMostListed) {
    listed_.push_back(loss);
  } else {
    ++unlisted_;
  }
}

/// One line a second at most: a bad line loses packets by the thousand.
void ServeLosses::tell(const InputLoss& loss) {
  ++untold_;
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now < next_line_) return;
  program::tell("firbank: lost {} from {}{}\n",
                counted(static_cast<std::uint64_t>(loss.frames), "frame"),
                position(loss.first_frame, sample_rate_hz_),
                untold_ > 1 ? fmt::format(", and {} before", counted(untold_ - 1, "gap")) : "");
  untold_ = 0;
  next_line_ = now + std::chrono::seconds(1);
}

}  // namespace firbank::program
