#include "demos/firbank/bench/machine/cgroup_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CgroupPaths, OfVersion2BeginWithTheProcessesOwn) {
  SystemTree tree;
  tree.write("/proc/self/cgroup", "0::/user.slice/session-1.scope\n");
  EXPECT_THAT(cgroup_paths(tree.files(), "cpu"),
              ElementsAre("/sys/fs/cgroup/user.slice/session-1.scope", "/sys/fs/cgroup/user.slice",
                          "/sys/fs/cgroup"));
}

TEST(CgroupPaths, OfVersion1AreTheControllersOwn) {
  SystemTree tree;
  tree.write("/proc/self/cgroup",
             "4:memory:/a\n3:cpuset:/\n2:cpu,cpuacct:/jobs/one\n1:name=systemd:/\n");
  EXPECT_THAT(cgroup_paths(tree.files(), "cpu"),
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct/jobs/one", "/sys/fs/cgroup/cpu,cpuacct/jobs",
                          "/sys/fs/cgroup/cpu,cpuacct"));
  EXPECT_THAT(cgroup_paths(tree.files(), "memory"),
              ElementsAre("/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"));
}

TEST(CgroupPaths, GarbageLeadsNowhere) {
  SystemTree tree;
  EXPECT_THAT(cgroup_paths(tree.files(), "cpu"), IsEmpty());
  for (const char* bytes : {"", "no colons\n", "1:cpu\n", "0::relative\n", "0::/../../etc\n"}) {
    tree.write("/proc/self/cgroup", bytes);
    EXPECT_THAT(cgroup_paths(tree.files(), "cpu"), IsEmpty()) << bytes;
  }
}

}  // namespace
}  // namespace firbank::program
