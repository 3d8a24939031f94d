#include "fjord/apps/common/cores.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace fjord::apps {
namespace {

namespace fs = std::filesystem;

// Where control groups with quotas of processor time are seen.
struct Mount {
  fs::path root;   // the group that the folder shows
  fs::path point;  // the folder
  bool unified;    // version 2
};

bool has_word(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

// Lines of /proc/self/mountinfo: id, parent, device, root, point, options, more of them up to a
// dash, type, source, options of the file system.
std::vector<Mount> mounts_of(const fs::path& system) {
  std::ifstream file(system / "proc/self/mountinfo");
  std::vector<Mount> mounts;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, point, word, type, source, options;
    words >> id >> parent >> device >> root >> point;
    while (words >> word && word != "-") {
    }
    words >> type >> source >> options;
    const bool unified = type == "cgroup2";
    if (unified || (type == "cgroup" && has_word(options, "cpu"))) {
      mounts.push_back({root, system / fs::path(point).relative_path(), unified});
    }
  }
  return mounts;
}

// The quota that files of one group give, in cores.
std::optional<double> quota_of(const fs::path& group, bool unified) {
  double quota = 0;
  double period = 0;
  if (unified) {
    std::ifstream(group / "cpu.max") >> quota >> period;  // "max", for none, is not a number
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;  // -1 for none
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  if (quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

// The folders of a group and of those above it, as far as the mount shows them. In a container, the
// name of a group may be that on the host, where the mount shows the container's group as its root.
std::vector<fs::path> folders_of(const fs::path& group, const Mount& mount) {
  fs::path below = group.lexically_relative(mount.root);
  if (below.empty() || *below.begin() == "..") below = ".";
  std::vector<fs::path> folders{mount.point};
  for (const fs::path& part : below) folders.push_back(folders.back() / part);
  return folders;
}

int cores_of_affinity() {
  // The kernel refuses a set that is smaller than its own.
  for (std::size_t sets = 1; sets <= 1024; sets *= 2) {
    std::vector<cpu_set_t> cores(sets);
    const std::size_t bytes = sets * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, cores.data()) == 0) return CPU_COUNT_S(bytes, cores.data());
    if (errno != EINVAL) break;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

std::optional<int> quota_in_cores(const fs::path& system) {
  std::optional<double> least;
  const std::vector<Mount> mounts = mounts_of(system);
  std::ifstream file(system / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // number:controllers:group
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    for (const Mount& mount : mounts) {
      if (mount.unified ? !controllers.empty() : !has_word(controllers, "cpu")) continue;
      for (const fs::path& folder : folders_of(line.substr(second + 1), mount)) {
        const std::optional<double> quota = quota_of(folder, mount.unified);
        if (quota && (!least || *quota < *least)) least = quota;
      }
    }
  }
  if (!least) return std::nullopt;
  return static_cast<int>(std::min(std::ceil(*least), 1e9));
}

int usable_cores() {
  const int cores = std::max(1, cores_of_affinity());
  return std::min(cores, quota_in_cores().value_or(cores));
}

int thread_count(Index asked) {
  return asked > 0 ? static_cast<int>(asked) : usable_cores();
}

}  // namespace fjord::apps
