// Who may ask a monitor, and where it may listen. The input is lines: the address that it was told,
// a port or nothing, the token; then a request's Host, Origin and Authorization.
#include <algorithm>

#include "demos/firbank/monitor/access.hpp"
#include "demos/firbank/monitor/monitor_settings.hpp"
#include "demos/firbank/monitor/tests/fuzz_rules.hpp"
#include "io/error.hpp"

namespace {

using namespace firbank::program;
using firbank::fuzz::require;
using firbank::fuzz::take_until;

bool is_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == text.npos;
}

bool is_same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// Numbers, which no server of names can make mean another machine.
bool is_like_number(std::string_view name) {
  if (is_of(name, "0123456789.")) return std::count(name.begin(), name.end(), '.') == 3;
  return name.size() > 3 && name.front() == '[' && name.back() == ']' &&
         is_of(name.substr(1, name.size() - 2), "0123456789abcdefABCDEF:.");
}

void check_host(std::string_view host, std::string_view address) {
  if (!is_own_host(host, address)) return;
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
  const std::string_view name = host.substr(0, colon);
  require(is_like_number(name) || is_same_name(name, "localhost") || is_same_name(name, address),
          "a host is a number, localhost or the address");
  if (colon != host.npos) {
    const std::string_view port = host.substr(colon + 1);
    require(!port.empty() && port.size() <= 5 && is_of(port, "0123456789"), "a port is a number");
  }
}

void check_settings(const MonitorSettings& settings) {
  try {
    settings.check();
  } catch (const firbank::Error& error) {
    const std::string_view message = error.what();
    require(error.kind() == firbank::ErrorKind::kConfiguration, "the error is of the right kind");
    require(message.find('\n') == message.npos, "the message is one line");
    require(message.size() < 400, "the message is short");
    return;
  }
  if (!settings.port) return require(settings.token.empty(), "a token needs a monitor");
  require(is_of(settings.address, "0123456789abcdefABCDEF:.") || settings.address == "localhost",
          "an address is a number or localhost");
  require(is_loopback(settings.address) || settings.token.size() >= 8,
          "what others reach has a token");
  require(settings.token.size() <= 128 &&
              settings.token.find_first_of(" /#\"\r") == settings.token.npos,
          "a token can stand in a URL and a header");
}

}  // namespace

// The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  MonitorSettings settings;
  settings.address = take_until(text, '\n');
  if (!take_until(text, '\n').empty()) settings.port = 8080;
  settings.token = take_until(text, '\n');
  const std::string_view host = take_until(text, '\n');
  const std::string_view origin = take_until(text, '\n');
  const std::string_view authorization = text;

  check_settings(settings);
  check_host(host, settings.address);
  if (is_own_origin(origin, host)) {
    require(is_same_name(origin.substr(0, 7), "http://") && is_same_name(origin.substr(7), host),
            "an origin is the host's own");
  }
  require(has_token(authorization, settings.token) == (authorization == "Bearer " + settings.token),
          "the token alone opens");
  require(has_token("Bearer " + settings.token, settings.token), "the token opens");
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {
      "127.0.0.1\n8080\nabcdefgh\n127.0.0.1:8080\nhttp://127.0.0.1:8080\nBearer abcdefgh",
      "::1\n1\nA-b.c_d~1\n[::1]:8080\nhttp://[::1]:8080\nBearer A-b.c_d~2",
      "localhost\n1\n\nLocalHost\nhttp://localHOST\nBasic ",
      "0.0.0.0\n1\n0123456789abcdef\nevil.com:80\nnull\nBearer",
      "192.168.1.2\n1\n\n192.168.1.2.evil.com\nhttps://192.168.1.2\nbearer x",
      "fe80::1%lo\n\n\n[fe80::1]\nhttp://[::ffff:127.0.0.1]:1\n",
  };
}
