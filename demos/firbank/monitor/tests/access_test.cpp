#include "demos/firbank/monitor/access.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/monitor/monitor_settings.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

TEST(Access, KnowsWhatOnlyThisMachineReaches) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1", "localhost", "LocalHost"}) {
    EXPECT_TRUE(is_loopback(address)) << address;
  }
  for (const char* address : {"0.0.0.0", "::", "192.168.1.2", "127.0.0.1.evil.com", "127.", ""}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
}

TEST(Access, TakesNumbersAndItsOwnNameForHosts) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:80",
                           "[::1]", "192.168.1.2:8080"}) {
    EXPECT_TRUE(is_own_host(host, "127.0.0.1")) << host;
  }
  for (const char* host :
       {"", ":80", "evil.com", "evil.com:80", "localhost.evil.com", "127.0.0.1.evil.com",
        "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:800000", "[::1", "[evil]:80", "[::1]x",
        "127.0.0.1@evil.com", "127.0.0.1:80:80"}) {
    EXPECT_FALSE(is_own_host(host, "127.0.0.1")) << host;
  }
}

// What ends at a zero byte for inet_pton() does not for who sent it.
TEST(Access, SeesWhatFollowsAZeroByte) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(is_number("127.0.0.1\0.evil.com"sv));
  EXPECT_FALSE(is_loopback("127.0.0.1\0.evil.com"sv));
  EXPECT_FALSE(is_own_host("127.0.0.1\0.evil.com:80"sv, "127.0.0.1"));
  EXPECT_FALSE(is_own_host("[::1\0.evil.com]:80"sv, "127.0.0.1"));
}

TEST(Access, TakesOriginsOfItsOwnPageAlone) {
  EXPECT_TRUE(is_own_origin("http://127.0.0.1:8080", "127.0.0.1:8080"));
  EXPECT_TRUE(is_own_origin("http://localhost:8080", "LOCALHOST:8080"));
  for (const char* origin : {"http://127.0.0.1:8081", "https://127.0.0.1:8080", "null",
                             "http://127.0.0.1", "http://evil.com", "127.0.0.1:8080"}) {
    EXPECT_FALSE(is_own_origin(origin, "127.0.0.1:8080")) << origin;
  }
}

TEST(Access, TakesItsTokenAlone) {
  EXPECT_TRUE(has_token("Bearer abcdefgh", "abcdefgh"));
  for (const char* given : {"", "Bearer ", "abcdefgh", "bearer abcdefgh", "Bearer abcdefgi",
                            "Bearer abcdefghi", "Bearer abcdefg", "Basic abcdefgh"}) {
    EXPECT_FALSE(has_token(given, "abcdefgh")) << given;
  }
}

TEST(Access, MakesTokensThatDifferAndAreAllowed) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    const std::string token = make_token();
    EXPECT_EQ(token.size(), 32u);
    EXPECT_NO_THROW(check_token(token));
    tokens.insert(token);
  }
  EXPECT_EQ(tokens.size(), 100u);
}

/// What check() says, or an empty text.
std::string complaint(const MonitorSettings& settings) {
  try {
    settings.check();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "";
}

TEST(Access, SettingsAreRefusedByName) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({.port = 0}), "");
  EXPECT_EQ(complaint({.port = 80, .address = "::1", .token = "abc-DEF_1.~"}), "");
  EXPECT_EQ(complaint({.port = 80, .address = "0.0.0.0", .token = "abcdefgh"}), "");
  EXPECT_THAT(complaint({.port = 80, .address = "0.0.0.0"}), HasSubstr("needs --token"));
  EXPECT_THAT(complaint({.port = 80, .address = "::"}), HasSubstr("needs --token"));
  EXPECT_THAT(complaint({.port = 80, .address = "evil.com"}), HasSubstr("--address 'evil.com'"));
  EXPECT_THAT(complaint({.port = 80, .token = "short"}), HasSubstr("--token 'short'"));
  EXPECT_THAT(complaint({.port = 80, .token = "with a space"}), HasSubstr("--token"));
  EXPECT_THAT(complaint({.port = 80, .token = std::string(129, 'a')}), HasSubstr("8 to 128"));
  EXPECT_THAT(complaint({.token = "abcdefgh"}), HasSubstr("--token needs --monitor"));
}

}  // namespace
}  // namespace firbank::program
