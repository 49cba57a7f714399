// Tests that run once for each instruction set, and say which cannot run here.
#pragma once

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "kernels/cpu/instruction_set.hpp"

namespace firbank::test {

class InstructionSetTest : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << name(GetParam()) << " cannot run here";
  }
};

/// "cpu_avx2", as names of tests want it.
inline std::string test_name(const testing::TestParamInfo<InstructionSet>& info) {
  std::string text = backend_name(info.param);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

}  // namespace firbank::test
