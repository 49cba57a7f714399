#include "demos/firbank/serve_file_names.hpp"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "io/error.hpp"

namespace firbank::program {
namespace {

constexpr int kMostNumber = 1'000'000;

std::string numbered(const std::string& path, int number) {
  std::filesystem::path file(path);
  const std::string extension = file.extension().string();
  file.replace_filename(fmt::format("{}-{}{}", file.stem().string(), number, extension));
  return file.string();
}

}  // namespace

std::string ServeFileNames::take(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) return path;
  std::string name = path;
  for (int number = 2; !is_free(name); ++number) {
    if (number > kMostNumber) {
      throw Error(ErrorKind::kOutput,
                  fmt::format("cannot write {}: it is there already, and numbers up to {} as well",
                              path, kMostNumber));
    }
    name = numbered(path, number);
  }
  given_.insert(name);
  return name;
}

bool ServeFileNames::is_free(const std::string& path) const {
  std::error_code error;
  // A link that leads nowhere is a name that is taken.
  const bool exists = std::filesystem::exists(std::filesystem::symlink_status(path, error));
  return !exists && given_.count(path) == 0;
}

}  // namespace firbank::program
