#include "fjord/apps/common/cores.hpp"

#include <sched.h>

#include <doctest/doctest.h>

#include "fjord/autodiff/files.hpp"
#include "fjord/tests/support/temporary_folder.hpp"

namespace fjord::apps {
namespace {

// A system's files with control groups, as proc and sys show them.
struct System final {
  System(const std::string& groups, const std::string& mounts) {
    write("proc/self/cgroup", groups);
    write("proc/self/mountinfo",
          "21 28 0:20 / /proc rw,nosuid - proc proc rw\n28 1 254:0 / / rw - ext4 /dev/vda rw\n" +
              mounts);
  }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder.path / name).parent_path());
    write_file(folder.path / name, text);
  }

  std::optional<int> quota() const { return quota_in_cores(folder.path); }

  test::TemporaryFolder folder;
};

// What a kernel shows for version 2, and for version 1 with controllers that share a folder.
const std::string unified = "32 25 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
const std::string divided =
    "34 31 0:30 / /sys/fs/cgroup/cpuset rw shared:9 - cgroup cgroup rw,cpuset\n"
    "35 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n";

TEST_CASE("cores: a quota of version 2 is rounded up to cores") {
  const System system("0::/user.slice/run\n", unified);
  CHECK_FALSE(system.quota());
  const auto quota = [&](const std::string& text) {
    system.write("sys/fs/cgroup/user.slice/run/cpu.max", text);
    return system.quota();
  };
  CHECK_FALSE(quota("max 100000\n"));
  CHECK(quota("200000 100000\n") == 2);
  CHECK(quota("150000 100000\n") == 2);
  CHECK(quota("50000 100000\n") == 1);
  CHECK(quota("1000 1000000\n") == 1);
  CHECK(quota("1600000 50000\n") == 32);
}

TEST_CASE("cores: the smallest quota of a group and those above it counts") {
  const System system("0::/a/b/c\n", unified);
  system.write("sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  CHECK(system.quota() == 4);
  system.write("sys/fs/cgroup/a/cpu.max", "300000 100000\n");
  CHECK(system.quota() == 3);
  system.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(system.quota() == 3);
  system.write("sys/fs/cgroup/a/other/cpu.max", "100000 100000\n");
  CHECK(system.quota() == 3);
}

TEST_CASE("cores: a quota of version 1 is that of the group of its controller") {
  const System system("5:cpuset:/sets\n4:cpu,cpuacct:/jobs/7\n1:name=systemd:/x\n0::/x\n", divided);
  system.write("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_period_us", "100000\n");
  system.write("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us", "-1\n");
  CHECK_FALSE(system.quota());
  system.write("sys/fs/cgroup/cpu,cpuacct/jobs/7/cpu.cfs_quota_us", "250000\n");
  CHECK(system.quota() == 3);
  system.write("sys/fs/cgroup/cpuset/sets/cpu.cfs_period_us", "100000\n");
  system.write("sys/fs/cgroup/cpuset/sets/cpu.cfs_quota_us", "100000\n");
  CHECK(system.quota() == 3);
}

TEST_CASE("cores: in a container, the mount shows the container's group as its root") {
  const System system("4:cpu,cpuacct:/docker/0a1b\n",
                      "35 31 0:31 /docker/0a1b /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup "
                      "rw,cpu,cpuacct\n");
  system.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  system.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
  CHECK(system.quota() == 1);
  const System outside("0::/../host\n", unified);
  outside.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  CHECK(outside.quota() == 2);
}

TEST_CASE("cores: without these files there is no quota") {
  const test::TemporaryFolder empty;
  CHECK_FALSE(quota_in_cores(empty.path));
  CHECK_FALSE(System("", unified).quota());
  CHECK_FALSE(System("nonsense\n0::/a\n", "and more of it\n").quota());
}

TEST_CASE("cores: a process that is bound to one core may use one") {
  cpu_set_t all;
  REQUIRE(sched_getaffinity(0, sizeof all, &all) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int core = 0; CPU_COUNT(&one) == 0; ++core) {
    if (CPU_ISSET(core, &all)) CPU_SET(core, &one);
  }
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(usable_cores() == 1);
  REQUIRE(sched_setaffinity(0, sizeof all, &all) == 0);
  CHECK(usable_cores() <= CPU_COUNT(&all));
}

}  // namespace
}  // namespace fjord::apps
