#include "io/shared_segment.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMostNameCharacters = 64;
constexpr const char* kNoMemory = "something else that is no shared memory has its name";
constexpr int kMostAttempts = 100;  // against others who come and go at the same time

std::string path_of(std::string_view name) {
  const bool is_allowed = !name.empty() && name.size() <= kMostNameCharacters &&
                          name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                   (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
                          });
  if (!is_allowed) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("shared memory '{}': allowed: a name of 1 to {} letters, digits, '-', "
                            "'_' and '.', the first no '.'",
                            one_line(name), kMostNameCharacters));
  }
  return fmt::format("/firbank.{}", name);
}

[[noreturn]] void fail(ErrorKind kind, const std::string& path, const std::string& why) {
  throw Error(kind, fmt::format("shared memory '{}': {}", path.substr(1), why));
}

[[noreturn]] void fail(ErrorKind kind, const std::string& path) {
  fail(kind, path, std::generic_category().message(errno));
}

/// What lies there, if anything does. Anybody may have made it: without O_NONBLOCK a pipe would be
/// waited for.
Descriptor open_file(const std::string& path, int mode) {
  return Descriptor(::shm_open(path.c_str(), mode | O_NONBLOCK, 0));
}

/// Whether the path still names this file.
bool is_at(const std::string& path, int file) {
  const Descriptor there = open_file(path, O_RDONLY);
  struct stat named {};
  struct stat held {};
  return there && ::fstat(there.number(), &named) == 0 && ::fstat(file, &held) == 0 &&
         named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

bool lock(int file) {
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

/// Takes what a dead owner left out of the way; an owner that lives is an Error.
void remove_left_behind(const std::string& path) {
  const Descriptor old = open_file(path, O_RDWR);
  if (!old && errno == ENOENT) return;
  if (!old) fail(ErrorKind::kConfiguration, path);
  struct stat info {};
  if (::fstat(old.number(), &info) != 0) fail(ErrorKind::kConfiguration, path);
  if (!S_ISREG(info.st_mode)) fail(ErrorKind::kConfiguration, path, kNoMemory);
  if (info.st_uid != ::geteuid()) {
    fail(ErrorKind::kConfiguration, path,
         fmt::format("it belongs to user {}; allowed: {}, who writes", info.st_uid, ::geteuid()));
  }
  if (!lock(old.number())) {
    fail(ErrorKind::kConfiguration, path, "it has a writer that lives; allowed: one writer");
  }
  if (is_at(path, old.number())) ::shm_unlink(path.c_str());
}

/// A new file that nobody else has, locked; none when another one was quicker.
Descriptor create_locked(const std::string& path) {
  Descriptor file(::shm_open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!file && errno != EEXIST) fail(ErrorKind::kConfiguration, path);
  if (file && lock(file.number()) && is_at(path, file.number())) return file;
  return {};
}

}  // namespace

SharedSegment::SharedSegment(Descriptor file, std::string owned_path, void* data,
                             std::size_t bytes) noexcept
    : file_(std::move(file)), owned_path_(std::move(owned_path)), data_(data), bytes_(bytes) {}

SharedSegment::SharedSegment(SharedSegment&& other) noexcept
    : file_(std::move(other.file_)),
      owned_path_(std::exchange(other.owned_path_, {})),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

SharedSegment& SharedSegment::operator=(SharedSegment&& other) noexcept {
  if (this == &other) return *this;
  let_go();
  file_ = std::move(other.file_);
  owned_path_ = std::exchange(other.owned_path_, {});
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

SharedSegment::~SharedSegment() {
  let_go();
}

void SharedSegment::let_go() noexcept {
  if (data_ != nullptr) ::munmap(data_, bytes_);
  data_ = nullptr;
  // Under the lock, so that the name is still this segment's.
  if (!owned_path_.empty()) ::shm_unlink(owned_path_.c_str());
  owned_path_.clear();
  file_.close();
}

SharedSegment SharedSegment::create(std::string_view name, std::size_t bytes, bool group_may_read) {
  const std::string path = path_of(name);
  Descriptor file;
  for (int attempt = 0; !file && attempt < kMostAttempts; ++attempt) {
    remove_left_behind(path);
    file = create_locked(path);
  }
  if (!file) fail(ErrorKind::kConfiguration, path, "others create and remove it all the time");
  SharedSegment segment(std::move(file), path, nullptr, 0);
  const int number = segment.file_.number();
  if (::fchmod(number, group_may_read ? 0640 : 0600) != 0) fail(ErrorKind::kOutput, path);
  // Allocated now: memory that is missing later would end the process.
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(number, 0, static_cast<off_t>(bytes));
  if (error != 0) {
    fail(ErrorKind::kOutput, path,
         fmt::format("no {} bytes for it: {}", bytes, std::generic_category().message(error)));
  }
  void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
  if (data == MAP_FAILED) fail(ErrorKind::kOutput, path);
  segment.data_ = data;
  segment.bytes_ = bytes;
  return segment;
}

SharedSegment SharedSegment::open(std::string_view name, std::size_t most_bytes, bool any_owner) {
  const std::string path = path_of(name);
  const Descriptor file = open_file(path, O_RDONLY);
  if (!file && errno == ENOENT) return {};
  if (!file) fail(ErrorKind::kInput, path);
  struct stat info {};
  if (::fstat(file.number(), &info) != 0) fail(ErrorKind::kInput, path);
  if (!S_ISREG(info.st_mode)) fail(ErrorKind::kInput, path, kNoMemory);
  if (!any_owner && info.st_uid != 0 && info.st_uid != ::geteuid()) {
    fail(ErrorKind::kInput, path,
         fmt::format("it belongs to user {}; allowed: {} and root", info.st_uid, ::geteuid()));
  }
  const auto bytes = static_cast<std::size_t>(std::max<off_t>(info.st_size, 0));
  if (bytes == 0) return {};  // just created
  if (bytes > most_bytes) {
    fail(ErrorKind::kInput, path,
         fmt::format("it has {} bytes; allowed: up to {}", bytes, most_bytes));
  }
  void* const data = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) fail(ErrorKind::kInput, path);
  return SharedSegment(Descriptor(), {}, data, bytes);
}

}  // namespace firbank
