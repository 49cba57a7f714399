#include "engine/config/toml_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/config/config_text.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

/// "a text", "a number" and so on: what a node is.
std::string_view kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

}  // namespace

TomlTable::TomlTable(const toml::table& table, std::string name, const std::string& path)
    : table_(table), name_(std::move(name)), path_(path) {}

std::string TomlTable::full_key(std::string_view key) const {
  return one_line(name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key));
}

std::string TomlTable::place(std::string_view key) const {
  const toml::node* const node = table_.get(key);
  return fmt::format(
      "{}, line {}, {}", path_,
      (node != nullptr ? *node : static_cast<const toml::node&>(table_)).source().begin.line,
      full_key(key));
}

std::string TomlTable::place() const {
  if (name_.empty()) return path_;
  return fmt::format("{}, line {}, {}", path_, table_.source().begin.line, name_);
}

const toml::node* TomlTable::find(std::string_view key) {
  asked_.emplace(key);
  return table_.get(key);
}

void TomlTable::refuse(std::string_view key, const std::string& what) const {
  refuse_config(place(key), what);
}

void TomlTable::refuse(const std::string& what) const {
  refuse_config(place(), what);
}

std::optional<std::string> TomlTable::text(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* const value = node->as_string();
  if (value == nullptr) refuse(key, fmt::format("it is {}; a text is allowed", kind_of(*node)));
  if (value->get().empty()) refuse(key, "it is empty; a text of at least 1 character is allowed");
  return value->get();
}

std::optional<std::string> TomlTable::one_of(std::string_view key,
                                             std::initializer_list<std::string_view> words) {
  std::optional<std::string> value = text(key);
  if (value && std::find(words.begin(), words.end(), *value) == words.end()) {
    refuse(key,
           fmt::format("it is '{}'; {} are allowed", one_line(*value), fmt::join(words, ", ")));
  }
  return value;
}

double TomlTable::number_of(std::string_view key, const toml::node& node, double least,
                            double most) const {
  const std::optional<double> value = node.value<double>();
  if (!node.is_number() || !value) {
    refuse(key, fmt::format("it is {}; a number is allowed", kind_of(node)));
  }
  if (!(*value >= least && *value <= most)) {
    refuse(key, fmt::format("it is {}; {} to {} are allowed", *value, least, most));
  }
  return *value;
}

std::optional<double> TomlTable::number(std::string_view key, double least, double most) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  return number_of(key, *node, least, most);
}

std::optional<std::size_t> TomlTable::count(std::string_view key, std::size_t least,
                                            std::size_t most) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* const value = node->as_integer();
  if (value == nullptr) {
    refuse(key, fmt::format("it is {}; a whole number is allowed", kind_of(*node)));
  }
  const std::int64_t number = value->get();
  if (number < 0 || static_cast<std::uint64_t>(number) < least ||
      static_cast<std::uint64_t>(number) > most) {
    refuse(key, fmt::format("it is {}; {} to {} are allowed", number, least, most));
  }
  return static_cast<std::size_t>(number);
}

std::optional<bool> TomlTable::flag(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto* const value = node->as_boolean();
  if (value == nullptr) {
    refuse(key, fmt::format("it is {}; true or false is allowed", kind_of(*node)));
  }
  return value->get();
}

std::optional<std::vector<double>> TomlTable::numbers(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (array == nullptr || array->empty()) {
    refuse(key, fmt::format("it is {}; an array of numbers is allowed",
                            array == nullptr ? kind_of(*node) : "empty"));
  }
  constexpr double kMost = 1e30;
  std::vector<double> values;
  for (const toml::node& element : *array) {
    values.push_back(number_of(key, element, -kMost, kMost));
  }
  return values;
}

std::optional<std::vector<std::string>> TomlTable::texts(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (array == nullptr || array->empty()) {
    refuse(key, fmt::format("it is {}; an array of texts is allowed",
                            array == nullptr ? kind_of(*node) : "empty"));
  }
  std::vector<std::string> values;
  for (const toml::node& element : *array) {
    const auto* const value = element.as_string();
    if (value == nullptr || value->get().empty()) {
      refuse(key, fmt::format("element {} is {}; texts are allowed", values.size() + 1,
                              value == nullptr ? kind_of(element) : "empty"));
    }
    values.push_back(value->get());
  }
  return values;
}

std::optional<TomlTable::TextOrCount> TomlTable::text_or_count(std::string_view key,
                                                               std::size_t most) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  TextOrCount result;
  if (node->is_string()) {
    result.text = *text(key);
  } else if (node->is_integer()) {
    result.count = *count(key, 1, most);
  } else {
    refuse(key, fmt::format("it is {}; a name, or a number from 1 on, is allowed", kind_of(*node)));
  }
  return result;
}

std::vector<TomlTable::TextOrCount> TomlTable::texts_or_counts_of(std::string_view key,
                                                                  const toml::node& node,
                                                                  const std::string& place) const {
  const toml::array* const array = node.as_array();
  if (array == nullptr || array->empty()) {
    refuse(key, fmt::format("{}it is {}; an array of names and numbers is allowed", place,
                            array == nullptr ? kind_of(node) : "empty"));
  }
  std::vector<TextOrCount> values;
  for (const toml::node& element : *array) {
    TextOrCount value;
    if (const auto* const text = element.as_string(); text != nullptr) value.text = text->get();
    if (const auto* const number = element.as_integer(); number != nullptr && number->get() > 0) {
      value.count = static_cast<std::size_t>(number->get());
    }
    if (value.text.empty() && value.count == 0) {
      refuse(key, fmt::format("{}element {} is {}; names, and numbers from 1 on, are allowed",
                              place, values.size() + 1,
                              element.is_string()    ? "empty"
                              : element.is_integer() ? "a number below 1"
                                                     : kind_of(element)));
    }
    values.push_back(std::move(value));
  }
  return values;
}

std::optional<std::vector<TomlTable::TextOrCount>> TomlTable::texts_or_counts(
    std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  return texts_or_counts_of(key, *node, {});
}

std::optional<std::vector<std::vector<TomlTable::TextOrCount>>> TomlTable::groups(
    std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (array == nullptr || array->empty()) {
    refuse(key, fmt::format("it is {}; an array of arrays is allowed, one a group",
                            array == nullptr ? kind_of(*node) : "empty"));
  }
  std::vector<std::vector<TextOrCount>> values;
  for (const toml::node& element : *array) {
    values.push_back(
        texts_or_counts_of(key, element, fmt::format("group {}: ", values.size() + 1)));
  }
  return values;
}

std::optional<bool> TomlTable::is_array(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  return node->is_array();
}

void TomlTable::each(std::string_view key, const std::function<void(TomlTable&)>& read) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    refuse(key, fmt::format("it is {}; [[{}]] is allowed, as often as there are of them",
                            kind_of(*node), full_key(key)));
  }
  for (const toml::node& element : *array) {
    const toml::table* const table = element.as_table();
    if (table == nullptr) {
      refuse(key, fmt::format("it holds {}; tables are allowed", kind_of(element)));
    }
    TomlTable reader(*table, full_key(key), path_);
    read(reader);
    reader.refuse_unknown();
  }
}

void TomlTable::single(std::string_view key, const std::function<void(TomlTable&)>& read) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  const toml::table* const table = node->as_table();
  if (table == nullptr) {
    refuse(key, fmt::format("it is {}; a table, [{}], is allowed", kind_of(*node), full_key(key)));
  }
  TomlTable reader(*table, full_key(key), path_);
  read(reader);
  reader.refuse_unknown();
}

void TomlTable::refuse_unknown() const {
  for (const auto& [key, node] : table_) {
    if (asked_.count(key.str()) != 0) continue;
    refuse_config(
        fmt::format("{}, line {}, {}", path_, key.source().begin.line, full_key(key.str())),
        fmt::format("there is no such key here; {} are allowed", fmt::join(asked_, ", ")));
  }
}

}  // namespace firbank
