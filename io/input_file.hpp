// InputFile: a file or standard input, read from front to back; a regular file, or what load() has
// read of another, from any position too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace firbank {

class InputFile {
 public:
  /// "-" is standard input. Throws: Error (kInput) when it cannot be opened or is a directory.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  /// Reads a pipe or device, of which nothing has been read yet, into memory; no effect on a
  /// regular file. Throws: Error (kInput) when it holds more than 256 MiB.
  void load();

  const std::string& path() const noexcept { return path_; }

  /// Owned by this; read from here or there, not both. A loaded pipe's has nothing left.
  int descriptor() const noexcept { return descriptor_; }

  /// Up to `count` bytes from position `at`, where size() is known; what read() gives stays the
  /// same.
  std::size_t read_at(std::uint64_t at, void* bytes, std::size_t count) const;

  /// Size in bytes, of a regular or loaded file only.
  std::optional<std::uint64_t> size() const noexcept { return size_; }

  /// Up to `count` bytes; fewer only at the end. Throws: Error (kInput).
  std::size_t read(void* bytes, std::size_t count);

  /// Throws Error (kInput): "cannot read PATH: why"; with no reason given, what errno says.
  [[noreturn]] void fail(const std::string& why = {}) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::optional<std::uint64_t> size_;
  std::optional<std::vector<unsigned char>> loaded_;
  std::uint64_t loaded_position_ = 0;  // of read()
};

}  // namespace firbank
