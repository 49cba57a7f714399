#include "demos/firbank/serve_channels.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "io/one_line.hpp"

namespace firbank::program {

ControlAnswer ServeChannels::mark(const MarkBad& request) {
  const auto refused = [](std::string why) {
    return ControlAnswer{ControlAnswer::Outcome::kRefused, std::move(why)};
  };
  const std::vector<std::string>& names = *names_;
  std::size_t channel = 0;
  if (request.channel) {
    channel = *request.channel;
    if (channel >= names.size()) {
      return refused(
          fmt::format("there is no input channel {}; allowed: 0 to {}", channel, names.size() - 1));
    }
  } else {
    const auto named = std::find(names.begin(), names.end(), request.name);
    if (named == names.end()) {
      return refused(fmt::format("there is no input channel '{}'", one_line(request.name)));
    }
    channel = static_cast<std::size_t>(named - names.begin());
  }
  stream_.set_bad_channel(channel, request.bad);
  if (request.bad) {
    bad_.insert(channel);
  } else {
    bad_.erase(channel);
  }
  return {};
}

}  // namespace firbank::program
