#include "demos/firbank/bench/machine/machine_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include "demos/firbank/bench/tests/system_tree.hpp"

namespace firbank::program {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::StartsWith;

constexpr const char* kGarbage[] = {"", "\n", "nonsense", "-", ":::", "\xff\xfe\x01", "[", "= ="};

TEST(NumbersInList, AreSingleOnesAndRanges) {
  EXPECT_THAT(numbers_in_list("0-3,8"), Optional(ElementsAre(0, 1, 2, 3, 8)));
  EXPECT_THAT(numbers_in_list("5\n"), Optional(ElementsAre(5)));
  EXPECT_THAT(numbers_in_list(""), Optional(IsEmpty()));
  for (const char* list : {"3-1", "a", "1-", "-1", "0-99999999999", "0-65536", "1,,2", "1 2"}) {
    EXPECT_FALSE(numbers_in_list(list)) << list;
  }
}

TEST(ProcessorName, SaysWhatHypervisorsLeaveOut) {
  SystemTree tree;
  tree.write("/proc/cpuinfo",
             "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n\n"
             "processor\t: 1\nmodel name\t: another\n");
  EXPECT_EQ(processor_name(tree.files()), "AMD EPYC, family 26, model 2");
  tree.write("/proc/cpuinfo", "CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n");
  utsname system{};
  ASSERT_EQ(uname(&system), 0);
  EXPECT_EQ(processor_name(tree.files()),
            std::string(system.machine) + ", implementer 0x41, part 0xd0c");
  for (const char* bytes : kGarbage) {
    tree.write("/proc/cpuinfo", bytes);
    EXPECT_EQ(processor_name(tree.files()), system.machine) << bytes;
  }
  tree.write("/proc/cpuinfo", "model name : " + std::string(100'000, 'x'));
  EXPECT_EQ(processor_name(tree.files()).size(), SystemFiles::kMostLine);
}

TEST(Processors, AreCounted) {
  SystemTree tree;
  EXPECT_FALSE(processors_there(tree.files()));
  EXPECT_FALSE(processors_allowed(tree.files()));
  tree.write("/sys/devices/system/cpu/online", "0-7\n");
  tree.write("/proc/self/status", "Name:\tfirbank\nCpus_allowed:\tff\nCpus_allowed_list:\t2-3,6\n");
  EXPECT_THAT(processors_there(tree.files()), Optional(8u));
  EXPECT_THAT(processors_allowed(tree.files()), Optional(3u));
  for (const char* bytes : kGarbage) {
    tree.write("/sys/devices/system/cpu/online", bytes);
    EXPECT_FALSE(processors_there(tree.files())) << bytes;
  }
}

TEST(Frequency, IsOfAllPolicies) {
  SystemTree tree;
  EXPECT_FALSE(frequency_governor(tree.files()));
  const std::string folder = "/sys/devices/system/cpu/cpufreq/";
  tree.write(folder + "boost", "1\n");
  tree.write(folder + "policy0/scaling_governor", "performance\n");
  tree.write(folder + "policy1/scaling_governor", "performance\n");
  tree.write(folder + "policy0/scaling_driver", "acpi-cpufreq\n");
  EXPECT_THAT(frequency_governor(tree.files()), Optional(std::string("performance")));
  EXPECT_THAT(frequency_driver(tree.files()), Optional(std::string("acpi-cpufreq")));
  tree.write(folder + "policy4/scaling_governor", "powersave\n");
  EXPECT_THAT(frequency_governor(tree.files()), Optional(std::string("performance, powersave")));
}

TEST(CgroupQuota, IsTheLeastUpwards) {
  SystemTree tree;
  EXPECT_FALSE(cgroup_quota(tree.files()).readable);
  tree.write("/proc/self/cgroup", "0::/a/b\n");
  EXPECT_FALSE(cgroup_quota(tree.files()).readable);
  tree.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_TRUE(cgroup_quota(tree.files()).readable);
  EXPECT_FALSE(cgroup_quota(tree.files()).processors);
  tree.write("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_THAT(cgroup_quota(tree.files()).processors, Optional(1.5));
  tree.write("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  EXPECT_THAT(cgroup_quota(tree.files()).processors, Optional(0.5));
  for (const char* bytes : {"", "max", "1", "-5 100000", "5 0", "x y", "1 2 3"}) {
    tree.write("/sys/fs/cgroup/a/b/cpu.max", bytes);
    EXPECT_THAT(cgroup_quota(tree.files()).processors, Optional(1.5)) << bytes;
  }
}

TEST(CgroupQuota, OfVersion1IsInTwoFiles) {
  SystemTree tree;
  tree.write("/proc/self/cgroup", "1:cpu:/jobs\n0::/\n");
  tree.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  tree.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(cgroup_quota(tree.files()).readable);
  EXPECT_FALSE(cgroup_quota(tree.files()).processors);
  tree.write("/sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "200000\n");
  EXPECT_FALSE(cgroup_quota(tree.files()).processors);
  tree.write("/sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "100000\n");
  EXPECT_THAT(cgroup_quota(tree.files()).processors, Optional(2.0));
}

TEST(Kernel, IsNamedAsItNamesItself) {
  SystemTree tree;
  EXPECT_FALSE(kernel_release(tree.files()));
  EXPECT_FALSE(kernel_preemption(tree.files()));
  tree.write("/proc/sys/kernel/osrelease", "6.1.0-13-rt-amd64\n");
  tree.write("/proc/sys/kernel/version", "#1 SMP PREEMPT_RT Debian 6.1.55-1 (2023-09-29)\n");
  EXPECT_THAT(kernel_release(tree.files()), Optional(std::string("Linux 6.1.0-13-rt-amd64")));
  EXPECT_THAT(kernel_preemption(tree.files()), Optional(std::string("PREEMPT_RT")));
  tree.write("/proc/sys/kernel/version", "#1 SMP Debian 6.1.55-1 (2023-09-29)\n");
  EXPECT_THAT(kernel_preemption(tree.files()), Optional(std::string("none")));
}

TEST(Hypervisor, IsToldByProcessorFlags) {
  SystemTree tree;
  EXPECT_FALSE(hypervisor(tree.files()));
  tree.write("/proc/cpuinfo", "flags\t: fpu sse2 nohypervisor\n");
  EXPECT_THAT(hypervisor(tree.files()), Optional(std::string("none")));
  tree.write("/proc/cpuinfo", "flags\t: fpu hypervisor lahf_lm\n");
  EXPECT_THAT(hypervisor(tree.files()), Optional(std::string("unnamed")));
  tree.write("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  EXPECT_THAT(hypervisor(tree.files()), Optional(std::string("QEMU")));
  const char* const clocks = "/sys/devices/system/clocksource/clocksource0/available_clocksource";
  tree.write(clocks, "tsc kvm-clock\n");
  EXPECT_THAT(hypervisor(tree.files()), Optional(std::string("KVM")));
  tree.write(clocks, "hyperv_clocksource_tsc_page acpi_pm\n");
  EXPECT_THAT(hypervisor(tree.files()), Optional(std::string("Hyper-V")));
  tree.write("/sys/hypervisor/type", "xen\n");
  EXPECT_THAT(hypervisor(tree.files()), Optional(std::string("Xen")));
}

TEST(Memory, IsInKibibytes) {
  SystemTree tree;
  EXPECT_FALSE(memory_bytes(tree.files(), "MemTotal"));
  tree.write("/proc/meminfo",
             "MemTotal:       24684100 kB\nHugePages_Total:       3\nSwap: -1 kB\n"
             "Big: 9223372036854775807 kB\nBad: x kB\n");
  EXPECT_THAT(memory_bytes(tree.files(), "MemTotal"), Optional(24684100ull * 1024));
  for (const char* name : {"HugePages_Total", "Swap", "Big", "Bad", "None"}) {
    EXPECT_FALSE(memory_bytes(tree.files(), name)) << name;
  }
}

TEST(Load, IsThreeNumbersAndPressureOne) {
  SystemTree tree;
  EXPECT_FALSE(load_averages(tree.files()));
  EXPECT_FALSE(processor_pressure_percent(tree.files()));
  tree.write("/proc/loadavg", "0.25 0.50 1.00 2/80 4242\n");
  EXPECT_THAT(load_averages(tree.files()), Optional(ElementsAre(0.25, 0.5, 1.0)));
  tree.write("/proc/pressure/cpu",
             "some avg10=4.25 avg60=2.83 avg300=3.08 total=5110292477\nfull avg10=0.00\n");
  EXPECT_THAT(processor_pressure_percent(tree.files()), Optional(4.25));
  for (const char* bytes : {"", "1 2", "1 -2 3", "nan 1 2", "a b c", "some avg10=x y"}) {
    tree.write("/proc/loadavg", bytes);
    tree.write("/proc/pressure/cpu", bytes);
    EXPECT_FALSE(load_averages(tree.files())) << bytes;
    EXPECT_FALSE(processor_pressure_percent(tree.files())) << bytes;
  }
}

TEST(ChosenWord, IsInBrackets) {
  SystemTree tree;
  const char* const path = "/sys/kernel/mm/transparent_hugepage/enabled";
  EXPECT_FALSE(transparent_huge_pages(tree.files()));
  tree.write(path, "always [madvise] never\n");
  EXPECT_THAT(transparent_huge_pages(tree.files()), Optional(std::string("madvise")));
  tree.write(path, "none voluntary (full)\n");
  EXPECT_THAT(transparent_huge_pages(tree.files()), Optional(std::string("full")));
  for (const char* bytes : {"", "always madvise", "always [madvise", "] [", "[]"}) {
    tree.write(path, bytes);
    EXPECT_FALSE(transparent_huge_pages(tree.files())) << bytes;
  }
}

TEST(Gpus, AreThoseOfTheDriver) {
  SystemTree tree;
  EXPECT_THAT(nvidia_gpus(tree.files()), IsEmpty());
  EXPECT_FALSE(nvidia_driver(tree.files()));
  tree.write("/proc/driver/nvidia/version",
             "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\n"
             "GCC version:  gcc version 12.2.0\n");
  tree.write("/proc/driver/nvidia/gpus/0000:01:00.0/information",
             "Model: \t\t NVIDIA H200\nIRQ:   \t\t 0\n");
  tree.write("/proc/driver/nvidia/gpus/0000:02:00.0/information", "garbage\n");
  EXPECT_THAT(nvidia_gpus(tree.files()), ElementsAre("NVIDIA H200", "NVIDIA, model not told"));
  EXPECT_THAT(nvidia_driver(tree.files()), Optional(StartsWith("NVIDIA UNIX x86_64")));
}

}  // namespace
}  // namespace firbank::program
