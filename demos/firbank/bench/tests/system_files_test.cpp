#include "demos/firbank/bench/machine/system_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(SystemFiles, ReadsWhatIsThere) {
  SystemTree tree;
  tree.write("/proc/one", "  12 \nand more\n");
  tree.write("/proc/two", "Name: a\nOther:\t b c \n  Third  :  3\nOther: later\n");
  tree.link("/sys/device/driver", "../../drivers/nvme");
  const SystemFiles files = tree.files();
  EXPECT_THAT(files.text("/proc/one"), Optional(std::string("  12 \nand more\n")));
  EXPECT_THAT(files.line("/proc/one"), Optional(std::string("12")));
  EXPECT_THAT(files.number("/proc/one"), Optional(12));
  EXPECT_THAT(files.field("/proc/two", "Other"), Optional(std::string("b c")));
  EXPECT_THAT(files.field("/proc/two", "Third"), Optional(std::string("3")));
  EXPECT_THAT(files.names("/proc"), ElementsAre("one", "two"));
  EXPECT_THAT(files.link_name("/sys/device/driver"), Optional(std::string("nvme")));
  EXPECT_TRUE(files.exists("/proc/two"));
}

TEST(SystemFiles, WhatIsNotThereIsNoError) {
  const SystemTree tree;
  const SystemFiles files = tree.files();
  EXPECT_FALSE(files.text("/proc/one"));
  EXPECT_FALSE(files.line("/proc/one"));
  EXPECT_FALSE(files.number("/proc/one"));
  EXPECT_FALSE(files.field("/proc/one", "Name"));
  EXPECT_THAT(files.names("/proc"), IsEmpty());
  EXPECT_FALSE(files.link_name("/proc/one"));
  EXPECT_FALSE(files.exists("/proc/one"));
}

TEST(SystemFiles, WhatIsNoSuchFileIsNotRead) {
  SystemTree tree;
  tree.write("/proc/inside/file", "1");
  ASSERT_EQ(mkfifo(tree.place("/proc/pipe").c_str(), 0600), 0);
  const SystemFiles files = tree.files();
  EXPECT_FALSE(files.text("/proc/inside"));
  EXPECT_FALSE(files.text("/proc/pipe"));
  EXPECT_THAT(files.names("/proc/inside/file"), IsEmpty());
}

TEST(SystemFiles, HugeFilesAreNotReadAndLongLinesCut) {
  SystemTree tree;
  tree.write("/proc/fits", std::string(SystemFiles::kMostBytes, '7'));
  tree.write("/proc/huge", std::string(SystemFiles::kMostBytes + 1, '7'));
  const SystemFiles files = tree.files();
  EXPECT_FALSE(files.text("/proc/huge"));
  ASSERT_TRUE(files.text("/proc/fits"));
  EXPECT_EQ(files.text("/proc/fits")->size(), SystemFiles::kMostBytes);
  EXPECT_EQ(files.line("/proc/fits")->size(), SystemFiles::kMostLine);
  EXPECT_FALSE(files.number("/proc/fits"));
}

TEST(SystemFiles, GarbageIsNoNumberAndIsFitToBeShown) {
  SystemTree tree;
  const SystemFiles files = tree.files();
  for (const char* bytes : {"", "\n", "12 13", "0x10", "twelve", "1.5", "99999999999999999999"}) {
    tree.write("/proc/one", bytes);
    EXPECT_FALSE(files.number("/proc/one")) << bytes;
  }
  tree.write("/proc/one", std::string_view("a\0\x1b[31m", 7));
  EXPECT_THAT(files.line("/proc/one"), Optional(std::string("a\\x00\\x1b[31m")));
  tree.write("/proc/one", "a line\nname:\x07value\nempty:\n");
  EXPECT_THAT(files.field("/proc/one", "name"), Optional(std::string("\\x07value")));
  EXPECT_FALSE(files.field("/proc/one", "empty"));
  EXPECT_FALSE(files.field("/proc/one", "a line"));
}

TEST(SystemFiles, TheSystemItselfIsTheDefault) {
  EXPECT_THAT(SystemFiles().field("/proc/self/status", "Pid"), Optional(std::to_string(getpid())));
}

TEST(Numbers, AreTheWholeText) {
  EXPECT_THAT(whole_number_of("-3"), Optional(-3));
  EXPECT_THAT(number_of("0.25"), Optional(0.25));
  for (const char* text : {"", " 1", "1 ", "nan", "inf", "1e999", "--1"}) {
    EXPECT_FALSE(number_of(text)) << text;
    EXPECT_FALSE(whole_number_of(text)) << text;
  }
  EXPECT_THAT(words(" a\tbc  d\n"), ElementsAre("a", "bc", "d"));
  EXPECT_THAT(words(" \n"), IsEmpty());
}

}  // namespace
}  // namespace firbank::program
