// firbank live and firbank devices where there is no sound card, as on a bare machine. What they do
// with one is tested in tests/live.
#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/no_sound_card.hpp"
#include "tests/support/program_files.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::HasSubstr;

class CliLive : public NoSoundCard {
 protected:
  CliLive() { write_text_filter(folder_.file("filter.txt"), {1.0, 0.5}); }

  ProgramResult live(std::vector<std::string> options) const {
    options.insert(options.begin(),
                   {FIRBANK_PROGRAM, "live", "--filter", folder_.file("filter.txt")});
    return run_program(options);
  }
};

TEST_F(CliLive, RefusesOptionsThatCannotBe) {
  expect_refused(run_program({FIRBANK_PROGRAM, "live"}), 2, {"--filter"});
  expect_refused(live({"--gain", "61"}), 2, {"--gain", "'61'", "-120 to 60"});
  expect_refused(live({"--channels", "0"}), 2, {"--channels", "'0'"});
  expect_refused(live({"--rate", "0"}), 2, {"--rate", "'0'"});
  expect_refused(live({"--input-channels", "0,1"}), 2, {"--input-channels '0,1'", "from 1 on"});
  expect_refused(live({"--output-channels", "1,,2"}), 2, {"--output-channels '1,,2'"});
  expect_refused(live({"--output-channels", "1,2,"}), 2, {"--output-channels '1,2,'"});
  expect_refused(live({"--device-block", "65537"}), 2, {"--device-block", "65536"});
  expect_refused(live({"--record", "-"}), 2, {"--record"});
  expect_refused(live({"--monitor", "65536"}), 2, {"--monitor", "'65536'", "65535"});
  expect_refused(live({"--monitor", "0", "--address", "0.0.0.0"}), 2, {"0.0.0.0", "needs --token"});
  expect_refused(live({"--monitor", "0", "--address", "name"}), 2, {"--address 'name'"});
  expect_refused(live({"--monitor", "0", "--token", "short"}), 2, {"--token 'short'", "8 to 128"});
  expect_refused(live({"--token", "long-enough"}), 2, {"--token needs --monitor"});
  expect_refused(live({"--record", folder_.file("filter.txt")}), 2, {"--record", "same file"});
  expect_refused(live({"--precision", "double"}), 2, {"--precision"});
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"filter.txt"});
}

class CliWithoutCard : public CliLive {
 protected:
  void SetUp() override {
    const ProgramResult list = run_program({FIRBANK_PROGRAM, "devices", "--json", "-"});
    if (list.exit_code == 2) GTEST_SKIP() << "this build has no sound cards: " << list.err;
    ASSERT_EQ(list.exit_code, 0) << list.err;
    EXPECT_EQ(list.err, "");
    if (!nlohmann::json::parse(list.out).empty()) GTEST_SKIP() << "there is a sound card here";
  }
};

TEST_F(CliWithoutCard, SaysSoInOneLine) {
  expect_refused(live({}), 3, {"there is no input device here"});
  expect_refused(live({"--input-device", "USB", "--record", folder_.file("take.wav")}), 3,
                 {"there is no input device here"});
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"filter.txt"});
}

TEST_F(CliWithoutCard, ListsNone) {
  const ProgramResult list = run_program({FIRBANK_PROGRAM, "devices"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.out, "there is no sound device here\n");
  EXPECT_EQ(list.err, "");
}

}  // namespace
}  // namespace firbank::test
