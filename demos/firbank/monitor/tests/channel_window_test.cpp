#include "demos/firbank/monitor/channel_window.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

TEST(ChannelWindow, IsWhatIsAskedForOrTheFirstOnes) {
  const auto window = [](std::string_view query, std::size_t channels) {
    const ChannelWindow seen = parse_window(query, channels);
    return std::pair(seen.first, seen.count);
  };
  EXPECT_EQ(window("", 384), std::pair(std::size_t{0}, std::size_t{32}));
  EXPECT_EQ(window("", 5), std::pair(std::size_t{0}, std::size_t{5}));
  EXPECT_EQ(window("first=32", 384), std::pair(std::size_t{32}, std::size_t{32}));
  EXPECT_EQ(window("count=64&first=1", 384), std::pair(std::size_t{1}, std::size_t{64}));
  EXPECT_EQ(window("first=380&count=16", 384), std::pair(std::size_t{380}, std::size_t{4}));
  EXPECT_EQ(window("first=383&", 384), std::pair(std::size_t{383}, std::size_t{1}));
}

std::string refusal(const std::string& query) {
  try {
    parse_window(query, 384);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "not refused";
}

TEST(ChannelWindow, IsRefusedByWhatIsWrong) {
  EXPECT_EQ(refusal("first=384"), "first is '384'; allowed: 0 to 383");
  EXPECT_EQ(refusal("count=65"), "count is '65'; allowed: 1 to 64");
  for (const char* query : {"count=0", "first=-1", "first=", "first", "first=1x", "first=0x10",
                            "first=%31", "first=99999999999999999999", "first=1&first= 2"}) {
    EXPECT_THAT(refusal(query), HasSubstr("; allowed: ")) << query;
  }
  EXPECT_THAT(refusal("fist=1"), HasSubstr("there is no 'fist'"));
  EXPECT_THAT(refusal("&"), HasSubstr("there is no ''"));
  EXPECT_THAT(refusal("a\nb=1"), HasSubstr("first and count"));
}

}  // namespace
}  // namespace firbank::program
