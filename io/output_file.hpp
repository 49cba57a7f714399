// OutputFile: a file that appears under its name only when it is complete.
//
// It is written under a temporary name beside the target and renamed by commit(). Destroyed before
// that, it removes the temporary. Special files (devices, pipes) are written directly, "-" is
// standard output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace firbank {

class OutputFile {
 public:
  /// Throws: Error (kOutput) when it cannot be created.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  int descriptor() const noexcept { return descriptor_; }

  /// Throws Error (kOutput) when write_at() cannot work, as on a pipe.
  void need_patching() const;

  /// Throws: Error (kOutput).
  void write(const void* bytes, std::size_t count);
  void write_at(std::uint64_t offset, const void* bytes, std::size_t count);

  /// Bytes that write() has written.
  std::uint64_t written_bytes() const noexcept { return written_bytes_; }

  /// Takes back what was written behind the first `bytes` bytes, where that can be done.
  void cut_back(std::uint64_t bytes) noexcept;

  /// Closes the file and gives it its name. Throws: Error (kOutput).
  void commit();

  /// Throws Error (kOutput) that names the path and what errno, or `why`, says.
  [[noreturn]] void fail(const std::string& why = {}) const;

 private:
  std::string path_;
  std::string temporary_;  // empty when written directly
  int descriptor_ = -1;
  std::uint64_t written_bytes_ = 0;
  bool is_standard_output_ = false;  // which is not to be closed
};

}  // namespace firbank
