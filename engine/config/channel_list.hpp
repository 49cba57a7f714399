// ChannelList: finds the channels that a configuration lists: by name, by number from 1 on, or from
// one to another, "1-96". A name comes first: where channels are called "5", "6" and "7", "5-7" are
// these.
//
// Any thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/toml_table.hpp"

namespace firbank {

class ChannelList {
 public:
  /// `names` of all channels, in their order; has to outlive it.
  explicit ChannelList(const std::vector<std::string>& names);

  /// Channels from 0 on, in the order of the list. Throws: Error (kConfiguration) that names what
  /// is not there or there twice, behind `place` in the table's `key`, such as "group 2: ".
  std::vector<std::size_t> find(const TomlTable& table, std::string_view key,
                                const std::vector<TomlTable::TextOrCount>& list,
                                const std::string& place = {}) const;

 private:
  struct Range {
    std::size_t first;
    std::size_t last;
  };

  std::optional<std::size_t> channel(std::string_view text) const;
  std::optional<Range> range(std::string_view text) const;

  const std::vector<std::string>& names_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace firbank
