#include "engine/config/channel_list.hpp"

#include <fmt/format.h>

#include "engine/config/config_text.hpp"
#include "io/one_line.hpp"

namespace firbank {

ChannelList::ChannelList(const std::vector<std::string>& names) : names_(names) {
  for (std::size_t i = 0; i < names.size(); ++i) by_name_.emplace(names[i], i);
}

std::optional<std::size_t> ChannelList::channel(std::string_view text) const {
  if (const auto at = by_name_.find(text); at != by_name_.end()) return at->second;
  const std::optional<std::size_t> number = parse_count(text);
  if (!number || *number == 0 || *number > names_.size()) return std::nullopt;
  return *number - 1;
}

std::optional<ChannelList::Range> ChannelList::range(std::string_view text) const {
  if (const std::optional<std::size_t> one = channel(text)) return Range{*one, *one};
  // A name may have a hyphen as well: "in-1-in-96".
  for (std::size_t at = text.find('-'); at != text.npos; at = text.find('-', at + 1)) {
    const std::optional<std::size_t> first = channel(text.substr(0, at));
    const std::optional<std::size_t> last = channel(text.substr(at + 1));
    if (first && last) return Range{*first, *last};
  }
  return std::nullopt;
}

std::vector<std::size_t> ChannelList::find(const TomlTable& table, std::string_view key,
                                           const std::vector<TomlTable::TextOrCount>& list,
                                           const std::string& place) const {
  std::vector<std::size_t> channels;
  std::vector<bool> is_listed(names_.size());
  for (const TomlTable::TextOrCount& entry : list) {
    const std::string text = entry.count != 0 ? fmt::to_string(entry.count) : entry.text;
    const std::optional<Range> found = entry.count == 0 ? range(text)
                                       : entry.count <= names_.size()
                                           ? std::optional(Range{entry.count - 1, entry.count - 1})
                                           : std::nullopt;
    if (!found) {
      table.refuse(key, fmt::format("{}there is no input '{}'; names of [stream] inputs, numbers "
                                    "from 1 to {}, and ranges such as '1-{}' are allowed",
                                    place, one_line(text), names_.size(), names_.size()));
    }
    if (found->first > found->last) {
      table.refuse(key,
                   fmt::format("{}'{}' goes from channel {} back to channel {}; ranges forward "
                               "are allowed",
                               place, one_line(text), found->first + 1, found->last + 1));
    }
    for (std::size_t i = found->first; i <= found->last; ++i) {
      if (is_listed[i]) {
        table.refuse(key, fmt::format("{}input {}, '{}', is there twice; once is allowed", place,
                                      i + 1, one_line(names_[i])));
      }
      is_listed[i] = true;
      channels.push_back(i);
    }
  }
  return channels;
}

}  // namespace firbank
