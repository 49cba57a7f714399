// firbank bench loopback where there is no sound card, as on a bare machine. What it measures with
// one is tested in tests/live.
#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/no_sound_card.hpp"
#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

using testing::HasSubstr;

class CliLoopback : public NoSoundCard {
 protected:
  static ProgramResult loopback(std::vector<std::string> options) {
    options.insert(options.begin(), {FIRBANK_PROGRAM, "bench", "loopback"});
    return run_program(options);
  }
};

TEST_F(CliLoopback, RefusesOptionsThatCannotBe) {
  expect_refused(loopback({"--order", "9"}), 2, {"--order", "'9'", "10 to 18"});
  expect_refused(loopback({"--order", "19"}), 2, {"--order", "'19'", "10 to 18"});
  expect_refused(loopback({"--repeats", "0"}), 2, {"--repeats", "'0'", "1 to 100"});
  expect_refused(loopback({"--repeats", "2.5"}), 2, {"--repeats", "'2.5'"});
  expect_refused(loopback({"--level", "-2"}), 2, {"--level", "'-2'", "-80 to -3"});
  expect_refused(loopback({"--level", "loud"}), 2, {"--level", "'loud'"});
  expect_refused(loopback({"--delay", "-1"}), 2, {"--delay", "'-1'", "0 to 8192"});
  expect_refused(loopback({"--delay", "nan"}), 2, {"--delay", "'nan'"});
  expect_refused(loopback({"--rate", "0"}), 2, {"--rate", "'0'"});
  expect_refused(loopback({"--block", "65537"}), 2, {"--block", "65536"});
  expect_refused(loopback({"--latency", "-1"}), 2, {"--latency", "'-1'"});
  expect_refused(loopback({"--input-channel", "0"}), 2, {"--input-channel", "'0'"});
  expect_refused(loopback({"--output-channel", "1,2"}), 2, {"--output-channel", "'1,2'"});
  expect_refused(loopback({"--channels", "2"}), 2, {"there is no option --channels"});
  expect_refused(loopback({"--json", folder_.file("no/such/folder")}), 3, {"no/such/folder"});
}

TEST_F(CliLoopback, SaysInItsHelpThatItMakesANoise) {
  const ProgramResult help = loopback({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("MAKES A NOISE"));
  EXPECT_THAT(help.out, HasSubstr("headphones"));
}

TEST_F(CliLoopback, SaysInOneLineThatThereIsNoCard) {
  const ProgramResult list = run_program({FIRBANK_PROGRAM, "devices", "--json", "-"});
  if (list.exit_code == 2) {
    // A build without PortAudio: the same line says so.
    EXPECT_THAT(list.err, HasSubstr("without PortAudio"));
    expect_refused(loopback({}), 2, {list.err});
    return;
  }
  ASSERT_EQ(list.exit_code, 0) << list.err;
  if (!nlohmann::json::parse(list.out).empty()) GTEST_SKIP() << "there is a sound card here";
  expect_refused(loopback({}), 3, {"there is no input device here"});
  expect_refused(loopback({"--input-device", "USB", "--json", "-"}), 3,
                 {"there is no input device here"});
}

}  // namespace
}  // namespace firbank::test
