// TextFile: a small file that is written whole or not at all.
//
// It is written under a temporary name in the same folder, and takes its name in finish(); one that
// is destroyed before leaves nothing behind. What exists and is no regular file, such as a device
// or a pipe, is written in place; "-" is standard output.
#pragma once

#include <string>
#include <string_view>

namespace firbank::program {

class TextFile {
 public:
  /// Throws: Error (kOutput) naming the file and the reason.
  explicit TextFile(std::string path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  /// Writes `text` and completes the file. Throws: Error (kOutput).
  void finish(std::string_view text);

 private:
  [[noreturn]] void fail() const;  // with the reason in errno

  std::string path_;
  std::string temporary_;  // empty when the file is written in place
  int descriptor_ = -1;
};

}  // namespace firbank::program
