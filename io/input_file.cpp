#include "io/input_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/interruption.hpp"

namespace firbank {

InputFile::InputFile(const std::string& path) : path_(path) {
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

std::size_t InputFile::read(void* bytes, std::size_t count) {
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
