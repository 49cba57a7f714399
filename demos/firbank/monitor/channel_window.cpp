#include "demos/firbank/monitor/channel_window.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

std::size_t number_of(std::string_view name, std::string_view text, std::size_t least,
                      std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    throw Error(ErrorKind::kInput,
                fmt::format("{} is '{}'; allowed: {} to {}", name, one_line(text), least, most));
  }
  return value;
}

}  // namespace

ChannelWindow parse_window(std::string_view query, std::size_t channels) {
  constexpr std::size_t kUsual = 32;
  ChannelWindow window{0, kUsual};
  while (!query.empty()) {
    const std::string_view member = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), member.size() + 1));
    const std::string_view name = member.substr(0, member.find('='));
    const std::string_view text = member.substr(std::min(member.size(), name.size() + 1));
    if (name == "first") {
      window.first = number_of(name, text, 0, channels - 1);
    } else if (name == "count") {
      window.count = number_of(name, text, 1, ChannelWindow::kMost);
    } else {
      throw Error(ErrorKind::kInput, fmt::format("there is no '{}' to ask events for; allowed: "
                                                 "first and count",
                                                 one_line(name)));
    }
  }
  window.count = std::min(window.count, channels - window.first);
  return window;
}

}  // namespace firbank::program
