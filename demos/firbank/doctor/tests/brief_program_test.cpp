#include "demos/firbank/doctor/brief_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using testing::Optional;
using namespace std::chrono_literals;

std::optional<std::string> of_shell(const std::string& commands,
                                    std::chrono::milliseconds limit = 30s) {
  return output_of({"sh", "-c", commands}, limit);
}

TEST(BriefProgram, GivesItsOutput) {
  EXPECT_THAT(of_shell("echo one; echo hidden >&2; echo two"), Optional(std::string("one\ntwo\n")));
  EXPECT_THAT(of_shell("cat"), Optional(std::string()));  // there is no input
}

TEST(BriefProgram, IsNoneWhenItFails) {
  EXPECT_FALSE(of_shell("echo one; exit 3"));
  EXPECT_FALSE(of_shell("kill -9 $$"));
  EXPECT_FALSE(output_of({"firbank-no-such-program"}, 30s));
  EXPECT_FALSE(output_of({}, 30s));
}

TEST(BriefProgram, IsKilledWhenItTakesTooLong) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(of_shell("echo one; exec sleep 60", 100ms));
  EXPECT_FALSE(of_shell("exec >&-; exec sleep 60", 100ms));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

TEST(BriefProgram, OutputIsCut) {
  const auto output = of_shell("head -c 1000000 /dev/zero");
  ASSERT_TRUE(output);
  EXPECT_GE(output->size(), 65'536u);
  EXPECT_LT(output->size(), 100'000u);
}

}  // namespace
}  // namespace firbank::program
