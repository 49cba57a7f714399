// TomlTable: reads the keys of one table of a TOML file, each of which has to be known, of the
// right kind and in its range; what is not is refused with its line and its key.
//
// For the reader of configurations only. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// The compiled form of the library would be one more thing to link. Its assertions are wrong about
// what a file may hold ("[/]"): in a debug build they would end the program, and with NDEBUG clang
// takes them for granted. The code behind them refuses such a file.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace firbank {

class TomlTable {
 public:
  /// `name` is what messages call the table ("filter"), "" the whole file. Both have to outlive it.
  TomlTable(const toml::table& table, std::string name, const std::string& path);

  bool has(std::string_view key) const { return table_.contains(key); }
  std::string place(std::string_view key) const;  // "run.toml, line 3, filter.gain_db"
  std::string place() const;                      // of the table itself

  /// Each is nothing where the key is missing.
  std::optional<std::string> text(std::string_view key);
  std::optional<std::string> one_of(std::string_view key,
                                    std::initializer_list<std::string_view> words);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<std::size_t> count(std::string_view key, std::size_t least, std::size_t most);
  std::optional<bool> flag(std::string_view key);
  std::optional<std::vector<double>> numbers(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);

  /// A text or a whole number from 1 on: how channels are named.
  struct TextOrCount {
    std::string text;
    std::size_t count = 0;  // 0: it is a text
  };
  std::optional<TextOrCount> text_or_count(std::string_view key, std::size_t most);
  std::optional<std::vector<TextOrCount>> texts_or_counts(std::string_view key);
  std::optional<std::vector<std::vector<TextOrCount>>> groups(std::string_view key);
  std::optional<bool> is_array(std::string_view key);

  /// Calls `read` with each table of [[key]], or with that of [key] when `single`.
  void each(std::string_view key, const std::function<void(TomlTable&)>& read);
  void single(std::string_view key, const std::function<void(TomlTable&)>& read);

  /// Throws Error when a key was not asked for.
  void refuse_unknown() const;

  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const toml::node* find(std::string_view key);
  std::string full_key(std::string_view key) const;
  std::vector<TextOrCount> texts_or_counts_of(std::string_view key, const toml::node& node,
                                              const std::string& place) const;
  double number_of(std::string_view key, const toml::node& node, double least, double most) const;

  const toml::table& table_;
  std::string name_;
  const std::string& path_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace firbank
