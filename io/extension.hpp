// The end of a file's name, which tells its format.
#pragma once

#include <filesystem>
#include <string>

namespace firbank {

/// ".wav" of "voice.WAV": in small letters, empty when there is none.
inline std::string extension_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

}  // namespace firbank
