// FileWatch: which of some files have changed, by their times and sizes.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace firbank {

class FileWatch {
 public:
  /// `interval` lies between two looks at the files, at least.
  explicit FileWatch(std::chrono::milliseconds interval = std::chrono::milliseconds(300))
      : interval_(interval) {}

  /// The files from now on, as they are now.
  void watch(const std::vector<std::string>& paths);

  /// Whether a file is another one than when it was last told of, and rests: it was the same in two
  /// looks, so that nobody is told of half a file. One that is gone for a while has not changed.
  bool changed();

 private:
  struct State {
    std::filesystem::file_time_type time{};
    std::uintmax_t bytes = 0;
    bool is_there = false;

    bool operator==(const State&) const = default;
  };
  struct File {
    std::string path;
    State told;
    State seen;
  };
  static State look(const std::string& path);

  std::chrono::milliseconds interval_;
  std::chrono::steady_clock::time_point next_look_{};
  std::vector<File> files_;
};

}  // namespace firbank
