#include "demos/firbank/checks.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/error.hpp"

namespace firbank::program {
namespace {

/// The whole text as a number; unlike std::from_chars it may begin with '+'.
template <class Number>
std::optional<Number> parse(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc{} || end != last) return std::nullopt;
  return value;
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return CLI::Validator(
      [least, most](std::string& text) -> std::string {
        const std::optional<std::uint64_t> value = parse<std::uint64_t>(text);
        if (value && *value >= least && *value <= most) return {};
        return fmt::format("'{}' is not allowed; a whole number from {} to {} is", text, least,
                           most);
      },
      "");
}

CLI::Validator size_in_bytes() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        constexpr std::string_view kUnits = "KMGT";
        const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
        const bool has_unit = unit != std::string_view::npos;
        const unsigned shift = has_unit ? 10 * (static_cast<unsigned>(unit) + 1) : 0;
        const std::string_view digits(text.data(), text.size() - (has_unit ? 1 : 0));
        const std::optional<std::uint64_t> value = parse<std::uint64_t>(digits);
        if (value && *value > 0 && *value <= UINT64_MAX >> shift) {
          text = std::to_string(*value << shift);
          return {};
        }
        return fmt::format("'{}' is not allowed; a size such as 500M or 2G is", text);
      },
      "");
}

CLI::Validator number(double least, double most) {
  return CLI::Validator(
      [least, most](std::string& text) -> std::string {
        const std::optional<double> value = parse<double>(text);
        if (value && *value >= least && *value <= most) return {};
        return fmt::format("'{}' is not allowed; a number from {} to {} is", text, least, most);
      },
      "");
}

CLI::Validator positive_number() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const std::optional<double> value = parse<double>(text);
        if (value && std::isfinite(*value) && *value > 0) return {};
        return fmt::format("'{}' is not allowed; a number above 0 is", text);
      },
      "");
}

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](std::string& text) -> std::string {
        if (std::find(words.begin(), words.end(), text) != words.end()) return {};
        return fmt::format("'{}' is not allowed; {} are", text, fmt::join(words, ", "));
      },
      "");
}

void refuse(const std::string& message) {
  throw Error(ErrorKind::kConfiguration, message);
}

void refuse_same_file(const std::string& name, const std::string& output,
                      const std::vector<std::string>& others) {
  namespace fs = std::filesystem;
  for (const std::string& other : others) {
    std::error_code ignored;
    const bool same = output == other || (output != "-" && other != "-" &&
                                          (fs::equivalent(output, other, ignored) ||
                                           fs::absolute(output, ignored).lexically_normal() ==
                                               fs::absolute(other, ignored).lexically_normal()));
    if (!same) continue;
    refuse(fmt::format("{} {}: {} is the same file; another is needed", name, output, other));
  }
}

}  // namespace firbank::program
