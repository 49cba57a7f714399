// SystemFiles: what the kernel tells of this machine in small files, as under /proc and /sys.
//
// Such a file may be missing, closed to this user, empty, or hold something else than expected, on
// any machine: then there is no answer, and never an error. The root can be another folder, so that
// a test can show a machine that it is not run on.
//
// Thread:   any.
// Realtime: no.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace firbank::program {

class SystemFiles {
 public:
  /// Files longer than this are none of the system's, and are not read: /proc/cpuinfo has about
  /// 1,500 bytes a processor.
  static constexpr std::size_t kMostBytes = 4'194'304;
  /// Lines are cut to this, since they are shown.
  static constexpr std::size_t kMostLine = 200;

  explicit SystemFiles(std::filesystem::path root = "/") : root_(std::move(root)) {}

  /// Paths are absolute ones, "/proc/loadavg"; with another root they begin there.
  std::optional<std::string> text(std::string_view path) const;

  /// The first line, fit to be shown; none where it is empty.
  std::optional<std::string> line(std::string_view path) const;

  /// The whole number that the first line is.
  std::optional<std::int64_t> number(std::string_view path) const;

  /// What follows the colon in the first line "NAME : VALUE" of that name.
  std::optional<std::string> field(std::string_view path, std::string_view name) const;

  /// What lies in a folder, sorted; nothing where it cannot be read.
  std::vector<std::string> names(std::string_view folder) const;

  /// The last part of where a symbolic link leads: the name of a device's driver.
  std::optional<std::string> link_name(std::string_view path) const;

  bool exists(std::string_view path) const;

 private:
  std::filesystem::path place(std::string_view path) const;

  std::filesystem::path root_;
};

/// `text` without white space round it.
std::string_view trimmed(std::string_view text);

/// What white space separates.
std::vector<std::string_view> words(std::string_view text);

/// The number that all of `text` is; none where it is something else, or not finite.
std::optional<std::int64_t> whole_number_of(std::string_view text);
std::optional<double> number_of(std::string_view text);

}  // namespace firbank::program
