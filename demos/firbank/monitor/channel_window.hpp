// ChannelWindow: the channels that somebody wants to see of many.
#pragma once

#include <cstddef>
#include <string_view>

namespace firbank::program {

struct ChannelWindow {
  static constexpr std::size_t kMost = 64;

  std::size_t first = 0;
  std::size_t count = 0;
};

/// Of a query such as "first=32&count=16": `first` from 0 to channels - 1 (0), `count` from 1 to 64
/// (32); what would lie beyond the last channel is left off. Throws: Error (kInput) naming the
/// member, its value and what is allowed.
ChannelWindow parse_window(std::string_view query, std::size_t channels);

}  // namespace firbank::program
