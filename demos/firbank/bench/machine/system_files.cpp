#include "demos/firbank/bench/machine/system_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <system_error>

#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr std::string_view kWhite = " \t\r\n\v\f";

template <class Number>
std::optional<Number> parsed(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

}  // namespace

std::filesystem::path SystemFiles::place(std::string_view path) const {
  return root_ / path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

std::optional<std::string> SystemFiles::text(std::string_view path) const {
  const std::filesystem::path name = place(path);
  std::error_code error;
  // A pipe of that name would be waited for.
  if (!std::filesystem::is_regular_file(name, error)) return std::nullopt;
  std::ifstream file(name, std::ios::binary);
  // The files of /proc have no size before they are read.
  std::string bytes;
  std::array<char, 16'384> part;
  while (file.read(part.data(), part.size()), file.gcount() > 0) {
    bytes.append(part.data(), static_cast<std::size_t>(file.gcount()));
    if (bytes.size() > kMostBytes) return std::nullopt;
  }
  if (!file.eof()) return std::nullopt;
  return bytes;
}

std::optional<std::string> SystemFiles::line(std::string_view path) const {
  const std::optional<std::string> all = text(path);
  if (!all) return std::nullopt;
  const std::string_view first = std::string_view(*all).substr(0, all->find('\n'));
  if (trimmed(first).empty()) return std::nullopt;
  return printable(trimmed(first).substr(0, kMostLine));
}

std::optional<std::int64_t> SystemFiles::number(std::string_view path) const {
  const std::optional<std::string> first = line(path);
  return first ? whole_number_of(*first) : std::nullopt;
}

std::optional<std::string> SystemFiles::field(std::string_view path, std::string_view name) const {
  const std::optional<std::string> all = text(path);
  if (!all) return std::nullopt;
  std::string_view rest = *all;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::size_t colon = one.find(':');
    if (colon == std::string_view::npos || trimmed(one.substr(0, colon)) != name) continue;
    const std::string_view value = trimmed(one.substr(colon + 1));
    if (value.empty()) return std::nullopt;
    // Flags of processors are longer than what is shown.
    return printable(value);
  }
  return std::nullopt;
}

std::vector<std::string> SystemFiles::names(std::string_view folder) const {
  std::vector<std::string> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(place(folder), error);
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    found.push_back(entry->path().filename().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<std::string> SystemFiles::link_name(std::string_view path) const {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(place(path), error);
  if (error || target.filename().empty()) return std::nullopt;
  return printable(target.filename().string());
}

bool SystemFiles::exists(std::string_view path) const {
  std::error_code error;
  return std::filesystem::exists(place(path), error);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhite) + 1 - first);
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    found.push_back(text.substr(0, text.find_first_of(kWhite)));
    text.remove_prefix(found.back().size());
  }
  return found;
}

std::optional<std::int64_t> whole_number_of(std::string_view text) {
  return parsed<std::int64_t>(text);
}

std::optional<double> number_of(std::string_view text) {
  const std::optional<double> value = parsed<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace firbank::program
