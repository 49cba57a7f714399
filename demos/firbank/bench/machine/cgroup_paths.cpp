#include "demos/firbank/bench/machine/cgroup_paths.hpp"

#include <algorithm>
#include <optional>

namespace firbank::program {
namespace {

/// Whether `list`, "cpu,cpuacct", has `name` in it.
bool has(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    if (one == name) return true;
    list.remove_prefix(std::min(one.size() + 1, list.size()));
  }
  return false;
}

void add_with_those_above(const std::string& mount, std::string_view group,
                          std::vector<std::string>& paths) {
  while (!group.empty() && group != "/") {
    paths.push_back(mount + std::string(group));
    group = group.substr(0, group.find_last_of('/'));
  }
  paths.push_back(mount);
}

}  // namespace

std::vector<std::string> cgroup_paths(const SystemFiles& files, std::string_view controller) {
  std::vector<std::string> paths;
  const std::optional<std::string> all = files.text("/proc/self/cgroup");
  if (!all) return paths;
  std::string_view rest = *all;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    // "NUMBER:CONTROLLERS:GROUP"; of version 2 there is one, without controllers.
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    // A name that leads elsewhere is none of the kernel's.
    if (!group.starts_with('/') || group.find("..") != std::string_view::npos) continue;
    if (controllers.empty()) {
      add_with_those_above("/sys/fs/cgroup", group, paths);
    } else if (has(controllers, controller)) {
      add_with_those_above("/sys/fs/cgroup/" + std::string(controllers), group, paths);
    }
  }
  return paths;
}

}  // namespace firbank::program
