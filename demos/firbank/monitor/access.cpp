#include "demos/firbank/monitor/access.hpp"

#include <algorithm>
#include <random>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank::program {
namespace {

constexpr std::size_t kFewestTokenCharacters = 8;
constexpr std::size_t kMostTokenCharacters = 128;

bool is_number_of(int family, std::string_view text) {
  // inet_pton() would not see what follows a zero byte.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return false;
  in6_addr address{};
  return inet_pton(family, std::string(text).c_str(), &address) == 1;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_port(std::string_view text) {
  constexpr std::size_t kMostDigits = 5;
  return !text.empty() && text.size() <= kMostDigits &&
         std::all_of(text.begin(), text.end(), is_digit);
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

bool is_number(std::string_view address) {
  return is_number_of(AF_INET, address) || is_number_of(AF_INET6, address);
}

bool is_loopback(std::string_view address) {
  if (lowered(address) == "localhost" || address == "::1") return true;
  return address.starts_with("127.") && is_number_of(AF_INET, address);
}

bool is_own_host(std::string_view host, std::string_view address) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == host.npos || !is_number_of(AF_INET6, host.substr(1, end - 1))) return false;
    const std::string_view rest = host.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const std::size_t colon = host.find(':');
  if (colon != host.npos && !is_port(host.substr(colon + 1))) return false;
  const std::string name = lowered(host.substr(0, colon));
  return name == "localhost" || is_number_of(AF_INET, name) ||
         (!name.empty() && name == lowered(address));
}

bool is_own_origin(std::string_view origin, std::string_view host) {
  return lowered(origin) == "http://" + lowered(host);
}

bool has_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return false;
  const std::string_view given = authorization.substr(kScheme.size());
  if (given.size() != token.size()) return false;
  int difference = 0;
  for (std::size_t i = 0; i < token.size(); ++i) difference |= given[i] ^ token[i];
  return difference == 0;
}

std::string make_token() {
  std::random_device random;
  std::string token;
  for (int word = 0; word < 4; ++word) token += fmt::format("{:08x}", random());
  return token;
}

void check_token(std::string_view token) {
  const bool is_allowed =
      token.size() >= kFewestTokenCharacters && token.size() <= kMostTokenCharacters &&
      std::all_of(token.begin(), token.end(), [](char c) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return is_letter || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
      });
  if (is_allowed) return;
  throw Error(ErrorKind::kConfiguration,
              fmt::format("--token '{}' is not allowed; {} to {} letters, digits, '-', '.', '_' "
                          "and '~' are",
                          one_line(token), kFewestTokenCharacters, kMostTokenCharacters));
}

}  // namespace firbank::program
