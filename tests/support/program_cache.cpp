// Linked into tests that run the program: gives it a cache folder of its own, so that no test reads
// or writes the user's.
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/support/run_program.hpp"

namespace firbank::test {
namespace {

class ProgramCache : public testing::Environment {
 public:
  void SetUp() override { setenv("XDG_CACHE_HOME", folder_.file("cache").c_str(), 1); }

 private:
  TemporaryFolder folder_;
};

const testing::Environment* const kProgramCache =
    testing::AddGlobalTestEnvironment(new ProgramCache);

}  // namespace
}  // namespace firbank::test
