#include "engine/filter_bank.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(std::vector<std::vector<double>> filters, std::vector<std::string> names = {}) {
  try {
    const FilterBank bank(std::move(filters), std::move(names));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

TEST(FilterBank, KeepsTapsOfAnyLengths) {
  const FilterBank bank({{1, 2, 3}, {4}, {5, 6}});
  EXPECT_EQ(bank.size(), 3u);
  EXPECT_THAT(bank.taps(0), ElementsAre(1, 2, 3));
  EXPECT_THAT(bank.taps(1), ElementsAre(4));
  EXPECT_THAT(bank.taps(2), ElementsAre(5, 6));
  EXPECT_EQ(bank.longest(), 3u);
  EXPECT_EQ(bank.shortest(), 1u);
}

TEST(FilterBank, NamesFilters) {
  const std::vector<std::vector<double>> filters{{1}, {2}};
  EXPECT_EQ(FilterBank(filters).name(1), "filter 1");
  EXPECT_EQ(FilterBank(filters, {"left", "right"}).name(1), "right");
}

TEST(FilterBank, CutsFilters) {
  const FilterBank bank({{1, 2, 3, 4}, {5, 6}, {7}}, {"long", "short", "one"});
  const FilterBank tail = bank.cut(2, 100);
  EXPECT_THAT(tail.taps(0), ElementsAre(3, 4));
  EXPECT_THAT(tail.taps(1), ElementsAre(0));
  EXPECT_EQ(tail.name(1), "short");
  EXPECT_EQ(tail.heard_taps(0), 2u);
  EXPECT_EQ(tail.heard_taps(1), 0u);
  const FilterBank head = bank.cut(0, 2);
  EXPECT_THAT(head.taps(0), ElementsAre(1, 2));
  EXPECT_EQ(head.heard_taps(2), 1u);
  // What is nothing stays nothing.
  EXPECT_EQ(tail.cut(0, 1).heard_taps(0), 1u);
  EXPECT_EQ(tail.cut(0, 1).heard_taps(1), 0u);
}

TEST(FilterBank, RefusesWhatIsNoFilter) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(refusal({}), HasSubstr("0 filters"));
  EXPECT_THAT(refusal({{1}, {}}), AllOf(HasSubstr("filter 1"), HasSubstr("0 taps")));
  EXPECT_THAT(refusal({{1}, {1, kNan}}, {"a", "hall.wav"}),
              AllOf(HasSubstr("hall.wav"), HasSubstr("tap 1"), HasSubstr("nan")));
  EXPECT_THAT(refusal({{-kInfinity}}), AllOf(HasSubstr("tap 0"), HasSubstr("-inf")));
  EXPECT_THAT(refusal({{1}, {2}}, {"one"}), AllOf(HasSubstr("2 filters"), HasSubstr("1 names")));
}

}  // namespace
}  // namespace firbank
