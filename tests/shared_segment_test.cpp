// Named memory: one owner, safe names and permissions, and what a dead owner leaves.
#include "io/shared_segment.hpp"

#include <csignal>
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/error.hpp"
#include "tests/support/shared_names.hpp"

namespace firbank {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMost = 1 << 20;

class SharedSegmentTest : public packets_test::SharedNameTest {
 protected:
  std::string refusal() const {
    try {
      SharedSegment::create(name_, 4'096, false);
      return {};
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
      return error.what();
    }
  }
  mode_t mode() const {
    const Descriptor file(::shm_open(path().c_str(), O_RDONLY, 0));
    struct stat info {};
    EXPECT_EQ(::fstat(file.number(), &info), 0);
    return info.st_mode & 07777;
  }
};

TEST_F(SharedSegmentTest, IsReadByOthersAndGoesAwayWithItsOwner) {
  SharedSegment reader = SharedSegment::open(name_, kMost, false);
  EXPECT_EQ(reader.data(), nullptr);
  {
    const SharedSegment owner = SharedSegment::create(name_, 5'000, false);
    EXPECT_EQ(owner.bytes(), 5'000u);
    std::memcpy(static_cast<char*>(owner.data()) + 4'990, "hello", 6);
    reader = SharedSegment::open(name_, kMost, false);
    ASSERT_NE(reader.data(), nullptr);
    EXPECT_EQ(reader.bytes(), 5'000u);
  }
  EXPECT_FALSE(exists());
  EXPECT_STREQ(static_cast<const char*>(reader.data()) + 4'990, "hello") << "it stays mapped";
}

TEST_F(SharedSegmentTest, IsForItsUserAloneUnlessToldOtherwise) {
  const mode_t before = ::umask(0);
  {
    const SharedSegment owner = SharedSegment::create(name_, 100, false);
    EXPECT_EQ(mode(), 0600u);
  }
  ::umask(077);
  {
    const SharedSegment owner = SharedSegment::create(name_, 100, true);
    EXPECT_EQ(mode(), 0640u);
  }
  ::umask(before);
}

TEST_F(SharedSegmentTest, RefusesNamesThatCouldMeanSomethingElse) {
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string("../x"), std::string(".hidden"),
        std::string("a b"), std::string("a\nb"), std::string("\xc3\xa4"), std::string(65, 'x'),
        std::string("a\0b", 3)}) {
    for (const bool create : {true, false}) {
      try {
        if (create) {
          SharedSegment::create(name, 100, false);
        } else {
          SharedSegment::open(name, kMost, false);
        }
        ADD_FAILURE() << name;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
        EXPECT_THAT(error.what(), HasSubstr("allowed: a name of 1 to 64 letters, digits, '-'"));
      }
    }
  }
  name_ = "A-z_0.9" + std::string(57, 'x');
  EXPECT_EQ(refusal(), "");
}

TEST_F(SharedSegmentTest, HasOneOwner) {
  const SharedSegment owner = SharedSegment::create(name_, 100, false);
  EXPECT_EQ(refusal(), "shared memory 'firbank." + name_ +
                           "': it has a writer that lives; allowed: one writer");
  EXPECT_TRUE(exists());
}

TEST_F(SharedSegmentTest, ReplacesWhatAKilledOwnerLeft) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const Descriptor read(ready[0]);
  const Descriptor write(ready[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const SharedSegment owner = SharedSegment::create(name_, 8'192, false);
    std::memset(owner.data(), 7, owner.bytes());
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(read.number(), &byte, 1), 1);
  EXPECT_THAT(refusal(), HasSubstr("it has a writer that lives"));
  const SharedSegment old = SharedSegment::open(name_, kMost, false);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(exists()) << "left behind";
  const SharedSegment owner = SharedSegment::create(name_, 4'096, false);
  EXPECT_EQ(owner.bytes(), 4'096u);
  EXPECT_EQ(static_cast<const char*>(owner.data())[17], 0);
  EXPECT_EQ(static_cast<const char*>(old.data())[8'191], 7) << "who reads it keeps the old one";
}

TEST_F(SharedSegmentTest, TellsWhatItCannotHave) {
  try {
    SharedSegment::create(name_, std::size_t{1} << 46, false);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutput);
    EXPECT_THAT(error.what(), HasSubstr("no 70368744177664 bytes for it: "));
  }
  EXPECT_FALSE(exists());
  const SharedSegment owner = SharedSegment::create(name_, 5'000, false);
  try {
    SharedSegment::open(name_, 4'999, false);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("it has 5000 bytes; allowed: up to 4999"));
  }
}

// Whoever opens a pipe without more ado waits for its other end.
TEST_F(SharedSegmentTest, IsNoPipeThatSomebodyPutThere) {
  const std::string pipe = "/dev/shm" + path();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0666), 0);
  EXPECT_THAT(refusal(), HasSubstr("something else that is no shared memory has its name"));
  try {
    SharedSegment::open(name_, kMost, true);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("something else that is no shared memory has its name"));
  }
  EXPECT_EQ(::unlink(pipe.c_str()), 0);
}

TEST_F(SharedSegmentTest, IsNotAnotherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a segment to somebody";
  const Descriptor file(::shm_open(path().c_str(), O_RDWR | O_CREAT, 0666));
  ASSERT_TRUE(file);
  ASSERT_EQ(::ftruncate(file.number(), 4'096), 0);
  ASSERT_EQ(::fchown(file.number(), 65'534, 65'534), 0);
  EXPECT_THAT(refusal(), HasSubstr("it belongs to user 65534; allowed: 0, who writes"));
  EXPECT_TRUE(exists());
  try {
    SharedSegment::open(name_, kMost, false);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("it belongs to user 65534; allowed: 0 and root"));
  }
  EXPECT_NE(SharedSegment::open(name_, kMost, true).data(), nullptr);
}

}  // namespace
}  // namespace firbank
