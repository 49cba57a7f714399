// Files that are watched: who is told of what, and when.
#include "io/file_watch.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/io_files.hpp"

namespace firbank {
namespace {

class FileWatchTest : public io_test::FilesTest {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }

  FileWatch watch_{std::chrono::milliseconds(0)};
};

TEST_F(FileWatchTest, TellsOfAChangeOnceAndWhenItRests) {
  write("a", "one");
  write("b", "two");
  watch_.watch({path("a"), path("b")});
  EXPECT_FALSE(watch_.changed());
  write("b", "three");
  EXPECT_FALSE(watch_.changed());  // it may be half written
  write("b", "three and more");
  EXPECT_FALSE(watch_.changed());
  EXPECT_TRUE(watch_.changed());
  EXPECT_FALSE(watch_.changed());
}

TEST_F(FileWatchTest, WaitsForAFileThatIsReplaced) {
  write("a", "one");
  watch_.watch({path("a")});
  std::filesystem::remove(path("a"));
  for (int look = 0; look < 3; ++look) EXPECT_FALSE(watch_.changed());
  write("a", "another");
  EXPECT_FALSE(watch_.changed());
  EXPECT_TRUE(watch_.changed());
}

TEST_F(FileWatchTest, SeesATimeThatChangesWithoutTheSize) {
  write("a", "one");
  watch_.watch({path("a")});
  std::filesystem::last_write_time(
      path("a"), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(watch_.changed());
  EXPECT_TRUE(watch_.changed());
}

TEST_F(FileWatchTest, ForgetsWhatItWatchedBefore) {
  write("a", "one");
  write("b", "one");
  watch_.watch({path("a")});
  watch_.watch({path("b")});
  write("a", "another");
  for (int look = 0; look < 3; ++look) EXPECT_FALSE(watch_.changed());
}

TEST_F(FileWatchTest, LooksNoMoreOftenThanItsInterval) {
  FileWatch slow(std::chrono::hours(1));
  write("a", "one");
  slow.watch({path("a")});
  EXPECT_FALSE(slow.changed());
  write("a", "another");
  for (int look = 0; look < 3; ++look) EXPECT_FALSE(slow.changed());
}

}  // namespace
}  // namespace firbank
