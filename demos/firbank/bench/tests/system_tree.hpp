// SystemTree: an invented machine's /proc and /sys, in a folder that vanishes with it.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <stdlib.h>

#include "demos/firbank/bench/machine/system_files.hpp"

namespace firbank::program {

class SystemTree {
 public:
  SystemTree() {
    std::string name = (std::filesystem::temp_directory_path() / "firbank-tree-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    root_ = name;
  }
  ~SystemTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  SystemTree(const SystemTree&) = delete;
  SystemTree& operator=(const SystemTree&) = delete;

  /// `path` as in "/proc/loadavg"; replaces what was there.
  void write(std::string_view path, std::string_view bytes) {
    const std::filesystem::path name = place(path);
    std::filesystem::create_directories(name.parent_path());
    std::ofstream(name, std::ios::binary) << bytes;
  }
  void link(std::string_view path, std::string_view target) {
    const std::filesystem::path name = place(path);
    std::filesystem::create_directories(name.parent_path());
    std::filesystem::create_symlink(target, name);
  }

  std::filesystem::path place(std::string_view path) const { return root_ / path.substr(1); }
  SystemFiles files() const { return SystemFiles(root_); }

 private:
  std::filesystem::path root_;
};

}  // namespace firbank::program
