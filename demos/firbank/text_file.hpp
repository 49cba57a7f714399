// TextFile: a small file that is written whole or not at all.
//
// finish() writes it under a temporary name in the same folder and then gives it its name; one that
// is destroyed before leaves nothing behind. What exists and is no regular file, such as a device
// or a pipe, is written in place; "-" is standard output.
#pragma once

#include <string>
#include <string_view>

namespace firbank::program {

class TextFile {
 public:
  /// Tries whether the file can be written. Throws: Error (kOutput) naming the file and the reason.
  explicit TextFile(std::string path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  /// Writes `text` and completes the file. Throws: Error (kOutput).
  void finish(std::string_view text);

 private:
  void open();
  void discard() noexcept;
  [[noreturn]] void fail() const;  // with the reason in errno

  std::string path_;
  std::string temporary_;  // empty when the file is written in place
  int descriptor_ = -1;
};

}  // namespace firbank::program
