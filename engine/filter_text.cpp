#include "engine/filter_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <locale>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr std::string_view kBlank = " \t\r\v\f";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What std::from_chars calls out of range: overflow gives a number above 1, underflow the nearest
// that a double has.
double out_of_range(std::string_view digits) {
  std::istringstream stream{std::string(digits)};
  stream.imbue(std::locale::classic());
  double value = 0;
  stream >> value;
  return value;
}

double parse_tap(std::string_view number, const std::string& name, std::size_t line) {
  const auto refuse = [&](const char* what) {
    throw Error(ErrorKind::kInput, fmt::format("{}, line {}: '{}' {}; one finite number a line is "
                                               "allowed, and comments after '#'",
                                               name, line, one_line(number), what));
  };
  std::string_view digits = number;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  double tap = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), tap);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) {
    refuse("is not a number");
  }
  if (error == std::errc::result_out_of_range) {
    tap = out_of_range(digits);
    if (std::abs(tap) > 1) refuse("is out of the range of a double");
  }
  if (!std::isfinite(tap)) refuse("is not finite");
  return tap;
}

}  // namespace

std::vector<double> parse_filter_text(std::string_view text, const std::string& name) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<double> taps;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    const std::string_view number = trimmed(whole.substr(0, whole.find('#')));
    if (!number.empty()) taps.push_back(parse_tap(number, name, line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (taps.empty()) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: it has 0 taps; at least one number is needed", name));
  }
  return taps;
}

}  // namespace firbank
