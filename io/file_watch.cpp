#include "io/file_watch.hpp"

#include <system_error>

namespace firbank {

FileWatch::State FileWatch::look(const std::string& path) {
  std::error_code error;
  State state;
  state.time = std::filesystem::last_write_time(path, error);
  if (error) return {};
  state.bytes = std::filesystem::file_size(path, error);
  if (error) return {};
  state.is_there = true;
  return state;
}

void FileWatch::watch(const std::vector<std::string>& paths) {
  files_.clear();
  for (const std::string& path : paths) {
    const State now = look(path);
    files_.push_back({path, now, now});
  }
}

bool FileWatch::changed() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return false;
  next_look_ = now + interval_;
  bool any = false;
  for (File& file : files_) {
    const State state = look(file.path);
    const bool rests = state == file.seen;
    file.seen = state;
    if (!rests || !state.is_there || state == file.told) continue;
    file.told = state;
    any = true;
  }
  return any;
}

}  // namespace firbank
