#include "engine/filter_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string refusal(std::string_view text) {
  try {
    parse_filter_text(text, "taps.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("taps.txt"), Not(HasSubstr("\n"))));
    return error.what();
  }
  return "accepted";
}

TEST(FilterText, ReadsOneNumberALine) {
  EXPECT_THAT(parse_filter_text("0.5\n-1e-3\n+2\n3", "t"), ElementsAre(0.5, -1e-3, 2, 3));
}

TEST(FilterText, SkipsBlanksCommentsAndCarriageReturns) {
  EXPECT_THAT(parse_filter_text("\xEF\xBB\xBF# low-pass\r\n\r\n  1.5 \t\r\n2#two\r\n#3\n4", "t"),
              ElementsAre(1.5, 2, 4));
}

TEST(FilterText, KeepsEveryBitOfADouble) {
  EXPECT_THAT(parse_filter_text("0.1\n1.7976931348623157e308\n5e-324", "t"),
              ElementsAre(0.1, 1.7976931348623157e308, 5e-324));
}

TEST(FilterText, TakesWhatIsTooSmallForADoubleAsTheNearest) {
  EXPECT_THAT(parse_filter_text("1e-400\n-1e-400\n+3e-324\n0." + std::string(400, '0') + "1", "t"),
              ElementsAre(0, 0, 5e-324, 0));
}

TEST(FilterText, NamesTheLineThatIsWrong) {
  EXPECT_THAT(refusal("1\n# comment\n0,5\n"), AllOf(HasSubstr("line 3"), HasSubstr("'0,5'")));
  EXPECT_THAT(refusal("1 2"), AllOf(HasSubstr("line 1"), HasSubstr("'1 2'")));
  EXPECT_THAT(refusal("1\nnan"), AllOf(HasSubstr("line 2"), HasSubstr("not finite")));
  EXPECT_THAT(refusal("-inf"), HasSubstr("not finite"));
  EXPECT_THAT(refusal("1e999"), HasSubstr("range"));
  EXPECT_THAT(refusal("-1e400"), HasSubstr("range"));
  EXPECT_THAT(refusal("1e-400x"), HasSubstr("not a number"));
  EXPECT_THAT(refusal("+-1"), HasSubstr("not a number"));
  EXPECT_THAT(refusal("0x10"), HasSubstr("not a number"));
  EXPECT_THAT(refusal("+"), HasSubstr("not a number"));
}

TEST(FilterText, RefusesTextWithoutTaps) {
  EXPECT_THAT(refusal(""), HasSubstr("0 taps"));
  EXPECT_THAT(refusal("# nothing\n\n  \n"), HasSubstr("0 taps"));
}

TEST(FilterText, MessagesStayShortAndPrintable) {
  const std::string message = refusal(std::string(5'000, 'x') + "\x01\x1b[31m");
  EXPECT_LT(message.size(), 200u);
  EXPECT_THAT(refusal("1\x1b[31m"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace firbank
