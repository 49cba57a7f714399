// A process is told from a later one with its number.
#include "io/process_identity.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/socket.hpp"

namespace firbank {
namespace {

TEST(ProcessIdentity, KnowsItself) {
  const ProcessIdentity self = own_identity();
  EXPECT_EQ(self.pid, static_cast<std::uint64_t>(::getpid()));
  EXPECT_GT(self.start_time, 0u);
  EXPECT_EQ(self, own_identity());
  EXPECT_EQ(look_for(self), Life::kAlive);
}

TEST(ProcessIdentity, IsNotFooledByANumberThatIsUsedAgain) {
  ProcessIdentity earlier = own_identity();
  --earlier.start_time;
  EXPECT_EQ(look_for(earlier), Life::kGone);
}

TEST(ProcessIdentity, SeesDeathBeforeAndAfterItIsWaitedFor) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const Descriptor read(ready[0]);
  Descriptor write(ready[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const ProcessIdentity self = own_identity();
    if (::write(ready[1], &self, sizeof self) != sizeof self) ::_exit(1);
    while (true) ::pause();
  }
  ProcessIdentity identity;
  ASSERT_EQ(::read(read.number(), &identity, sizeof identity),
            static_cast<ssize_t>(sizeof identity));
  EXPECT_EQ(identity.pid, static_cast<std::uint64_t>(child));
  EXPECT_EQ(look_for(identity), Life::kAlive);
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(look_for(identity), Life::kGone) << "a zombie";
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(look_for(identity), Life::kGone);
}

TEST(ProcessIdentity, SaysWhatItCannotKnow) {
  ProcessIdentity elsewhere = own_identity();
  ++elsewhere.pid_space;
  EXPECT_EQ(look_for(elsewhere), Life::kUnknown);
  ProcessIdentity nonsense = own_identity();
  for (const std::uint64_t pid : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 32}) {
    nonsense.pid = pid;
    EXPECT_EQ(look_for(nonsense), Life::kGone) << pid;
  }
}

}  // namespace
}  // namespace firbank
