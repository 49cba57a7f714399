// What readers of configurations refuse: the message, which has to be one line of the right kind.
#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank::test {

/// The message of the Error (kConfiguration) that `action` throws; "accepted" when it throws none.
template <class Action>
std::string config_refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration) << error.what();
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
    return error.what();
  }
  return "accepted";
}

}  // namespace firbank::test
