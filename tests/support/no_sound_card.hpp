// NoSoundCard: tests of commands that open sound cards, where there is none, as on a bare machine.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_program.hpp"

namespace firbank::test {

class NoSoundCard : public testing::Test {
 protected:
  NoSoundCard() {
    // No server of this machine's owner is to be found.
    setenv("JACK_DEFAULT_SERVER", "firbank-test-has-none", 1);
    setenv("JACK_NO_START_SERVER", "1", 1);
    // ALSA leaks what it read of its configuration.
    if (std::getenv("ASAN_OPTIONS") == nullptr) {
      setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
      asan_options_set_ = true;
    }
  }
  ~NoSoundCard() override {
    if (asan_options_set_) unsetenv("ASAN_OPTIONS");
  }

  /// One line on standard error, and nothing else but the exit code.
  static void expect_refused(const ProgramResult& result, int exit_code,
                             const std::vector<std::string>& named) {
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(result.err.starts_with("firbank: ")) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& name : named) EXPECT_THAT(result.err, testing::HasSubstr(name));
  }

  TemporaryFolder folder_;

 private:
  bool asan_options_set_ = false;
};

}  // namespace firbank::test
