#include "io/output_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/interruption.hpp"

namespace firbank {
namespace {

constexpr std::size_t kKeptName = 200;  // of the name in the temporary's, which has to fit as well

/// What a link names in the end, whether that exists or not.
std::filesystem::path followed(std::filesystem::path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int links = 0; links < kMostLinks && std::filesystem::is_symlink(path, error); ++links) {
    const std::filesystem::path named = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / named;  // named itself when it is absolute
  }
  return path;
}

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path.empty()) {
    throw Error(ErrorKind::kOutput, "cannot write '': a file's name has at least 1 character");
  }
  if (path == "-") {
    path_ = "standard output";
    descriptor_ = STDOUT_FILENO;
    is_standard_output_ = true;
    return;
  }
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) fail("it is a directory");
  if (exists && !S_ISREG(info.st_mode)) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail();
    return;
  }
  if (exists && ::access(path.c_str(), W_OK) != 0) fail();
  // A link keeps pointing where it did: the file that it names is replaced.
  const std::filesystem::path target = followed(path);
  // A name that is too long would only show when the file takes it.
  if (!exists && ::lstat(target.c_str(), &info) != 0 && errno != ENOENT) fail();
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = (target.parent_path() /
                  fmt::format(".{}.partial-{}-{}", target.filename().string().substr(0, kKeptName),
                              ::getpid(), attempt))
                     .string();
    const mode_t mode = exists ? (info.st_mode & 0777) : 0666;
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor_ < 0 && (errno != EEXIST || attempt == 100)) {
      temporary_.clear();
      fail();
    }
  }
  path_ = target.string();
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0 && !is_standard_output_) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::fail(const std::string& why) const {
  throw Error(ErrorKind::kOutput,
              fmt::format("cannot write {}: {}", path_,
                          why.empty() ? std::generic_category().message(errno) : why));
}

void OutputFile::need_patching() const {
  if (::lseek(descriptor_, 0, SEEK_CUR) < 0) {
    fail(
        "its header is completed at the end, which a pipe does not allow; allowed: a regular file");
  }
}

void OutputFile::write(const void* bytes, std::size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t done = ::write(descriptor_, at, count);
    if (done < 0 && errno == EINTR && stop_requests() < 2) continue;
    if (done < 0) fail();
    at += done;
    count -= static_cast<std::size_t>(done);
    written_bytes_ += static_cast<std::uint64_t>(done);
  }
}

void OutputFile::cut_back(std::uint64_t bytes) noexcept {
  // What is no regular file cannot, and has no header that would disagree.
  if (temporary_.empty() || ::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) return;
  ::lseek(descriptor_, static_cast<off_t>(bytes), SEEK_SET);
  written_bytes_ = bytes;
}

void OutputFile::write_at(std::uint64_t offset, const void* bytes, std::size_t count) {
  if (::pwrite(descriptor_, bytes, count, static_cast<off_t>(offset)) !=
      static_cast<ssize_t>(count)) {
    fail();
  }
}

void OutputFile::commit() {
  if (descriptor_ < 0 || is_standard_output_) return;
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail();
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
  temporary_.clear();
}

}  // namespace firbank
