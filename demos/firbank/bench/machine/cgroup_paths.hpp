// Where the control groups of this process lie.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "demos/firbank/bench/machine/system_files.hpp"

namespace firbank::program {

/// Folders of the groups that limit this process by `controller` ("cpu", "memory"), of either
/// version of control groups, its own first and then those above it. In a container the first ones
/// may be missing: what is mounted there may begin further up.
std::vector<std::string> cgroup_paths(const SystemFiles& files, std::string_view controller);

}  // namespace firbank::program
