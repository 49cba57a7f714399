#include "io/input_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/interruption.hpp"

namespace firbank {

InputFile::InputFile(const std::string& path) : path_(path) {
  if (path.empty()) {
    throw Error(ErrorKind::kInput, "cannot read '': a file's name has at least 1 character");
  }
  if (path == "-") {
    path_ = "standard input";
    descriptor_ = STDIN_FILENO;
    return;
  }
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail();
  struct stat info {};
  const int error = ::fstat(descriptor_, &info) == 0 ? 0 : errno;
  if (error != 0 || S_ISDIR(info.st_mode)) {
    ::close(descriptor_);
    fail(error != 0 ? std::generic_category().message(error) : std::string("it is a directory"));
  }
  if (S_ISREG(info.st_mode)) size_ = static_cast<std::uint64_t>(info.st_size);
}

InputFile::~InputFile() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      loaded_(std::move(other.loaded_)),
      loaded_position_(other.loaded_position_) {}

void InputFile::load() {
  constexpr std::size_t kMost = std::size_t{256} << 20;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  if (size_) return;
  std::vector<unsigned char> bytes;
  while (true) {
    const std::size_t have = bytes.size();
    bytes.resize(have + kPiece);
    const std::size_t got = read(bytes.data() + have, kPiece);
    bytes.resize(have + got);
    if (got < kPiece) break;
    if (bytes.size() > kMost) {
      fail(fmt::format("it is no regular file and holds more than the {} bytes allowed then",
                       kMost));
    }
  }
  size_ = bytes.size();
  loaded_ = std::move(bytes);
}

std::size_t InputFile::read(void* bytes, std::size_t count) {
  if (loaded_) {
    const std::size_t got = read_at(loaded_position_, bytes, count);
    loaded_position_ += got;
    return got;
  }
  char* at = static_cast<char*>(bytes);
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::read(descriptor_, at + done, count - done);
    if (got < 0 && errno == EINTR) {
      if (stop_requests() > 0) break;
      continue;
    }
    if (got < 0) fail();
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t InputFile::read_at(std::uint64_t at, void* bytes, std::size_t count) const {
  if (loaded_) {
    const std::size_t first = static_cast<std::size_t>(std::min<std::uint64_t>(at, *size_));
    const std::size_t got = std::min(count, loaded_->size() - first);
    std::copy_n(loaded_->data() + first, got, static_cast<unsigned char*>(bytes));
    return got;
  }
  char* to = static_cast<char*>(bytes);
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got =
        ::pread(descriptor_, to + done, count - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void InputFile::fail(const std::string& why) const {
  throw Error(ErrorKind::kInput,
              fmt::format("cannot read {}: {}", path_,
                          why.empty() ? std::generic_category().message(errno) : why));
}

}  // namespace firbank
