#include "io/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/files.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

TEST(ErrorMessage, IsOneLineWhateverAFileIsCalled) {
  const Error error(ErrorKind::kInput, "cannot read a\nb\x1b[31m\x7f\tc: gr\xc3\xbc\xc3\x9f");
  EXPECT_STREQ(error.what(), "cannot read a\\x0ab\\x1b[31m\\x7f\\x09c: gr\xc3\xbc\xc3\x9f");
  try {
    open_source("no\nsuch\x1b.wav");
    FAIL() << "nothing was thrown";
  } catch (const Error& refused) {
    EXPECT_THAT(refused.what(), testing::HasSubstr("no\\x0asuch\\x1b.wav"));
  }
}

TEST(OneLine, CutsWhatIsLong) {
  EXPECT_EQ(one_line("short\n"), "short\\x0a");
  EXPECT_EQ(one_line(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(one_line(std::string(61, 'x')), std::string(60, 'x') + "...");
}

}  // namespace
}  // namespace firbank
