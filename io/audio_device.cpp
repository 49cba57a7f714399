#include "io/audio_device.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/error.hpp"

namespace firbank {
namespace {

std::string in_small_letters(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Letters to insert, delete or replace to make `b` of `a` (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// How unlike a device's name is: the better of name and full name.
std::size_t distance(const AudioDevice& device, const std::string& name) {
  const std::string wanted = in_small_letters(name);
  return std::min(edit_distance(wanted, in_small_letters(device.name)),
                  edit_distance(wanted, in_small_letters(device.full_name())));
}

std::optional<std::size_t> as_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

using Devices = std::vector<const AudioDevice*>;

template <class Matches>
Devices those(const Devices& devices, Matches matches) {
  Devices found;
  std::copy_if(devices.begin(), devices.end(), std::back_inserter(found),
               [&](const AudioDevice* device) { return matches(*device); });
  return found;
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kConfiguration, message);
}

}  // namespace

const AudioDevice& choose_audio_device(const std::vector<AudioDevice>& devices,
                                       const std::string& name, AudioDirection direction) {
  const bool is_input = direction == AudioDirection::kInput;
  const std::string_view way = is_input ? "input" : "output";
  Devices all;
  for (const AudioDevice& device : devices) all.push_back(&device);
  const Devices usable = those(all, [&](const AudioDevice& device) {
    return (is_input ? device.input_channels : device.output_channels) > 0;
  });
  if (usable.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("there is no {} device here", way));
  }
  if (name.empty()) {
    for (const AudioDevice* device : usable) {
      if (is_input ? device->is_default_input : device->is_default_output) return *device;
    }
    return *usable.front();
  }

  if (const auto number = as_number(name)) {
    for (const AudioDevice* device : usable) {
      if (device->number == *number) return *device;
    }
  }
  const std::string wanted = in_small_letters(name);
  const auto is_called = [&](const AudioDevice& device) {
    return device.name == name || device.full_name() == name;
  };
  const auto contains = [&](const AudioDevice& device) {
    return in_small_letters(device.full_name()).find(wanted) != std::string::npos;
  };
  Devices found = those(usable, is_called);
  if (found.empty()) found = those(usable, contains);
  // Devices of one name are the same for people; the first one is as good as another.
  const auto is_the_same = [&](const AudioDevice* device) {
    return device->full_name() == found[0]->full_name();
  };
  if (!found.empty() && std::all_of(found.begin(), found.end(), is_the_same)) return *found[0];
  if (!found.empty()) {
    std::vector<std::string> names;
    for (const AudioDevice* device : found)
      names.push_back(fmt::format("'{}'", device->full_name()));
    refuse(fmt::format("'{}' means {} {} devices: {}", name, found.size(), way,
                       fmt::join(names, ", ")));
  }
  const Devices other_way =
      those(all, [&](const AudioDevice& device) { return is_called(device) || contains(device); });
  if (!other_way.empty()) {
    refuse(fmt::format("'{}' has no {} channels", other_way[0]->full_name(), way));
  }
  const auto nearest = std::min_element(usable.begin(), usable.end(),
                                        [&](const AudioDevice* a, const AudioDevice* b) {
                                          return distance(*a, name) < distance(*b, name);
                                        });
  refuse(fmt::format("there is no {} device '{}'; the nearest is '{}'", way, name,
                     (*nearest)->full_name()));
}

}  // namespace firbank
