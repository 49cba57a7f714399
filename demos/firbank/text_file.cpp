#include "demos/firbank/text_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/error.hpp"
#include "io/interruption.hpp"

namespace firbank::program {

TextFile::TextFile(std::string path) : path_(std::move(path)) {
  open();
  // Only a try: while the program works there is no file that a signal could leave behind.
  if (!temporary_.empty()) discard();
}

TextFile::~TextFile() {
  discard();
}

void TextFile::open() {
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  struct stat status {};
  const bool exists = stat(path_.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail();
    return;
  }
  std::string temporary = path_ + ".XXXXXX";
  descriptor_ = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail();
  temporary_ = temporary;
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor_, exists ? status.st_mode & 07777 : 0666 & ~mask);
}

void TextFile::discard() noexcept {
  if (descriptor_ > STDERR_FILENO) close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
}

void TextFile::finish(std::string_view text) {
  if (descriptor_ < 0) open();
  // A pipe that nobody reads is given up when the program is asked to stop meanwhile; the report of
  // a run that was stopped before is written all the same.
  const int requests = stop_requests();
  while (!text.empty()) {
    const ssize_t written = write(descriptor_, text.data(), text.size());
    if (written < 0 && errno != EINTR) fail();
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (!text.empty() && stop_requests() != requests) {
      errno = EINTR;
      fail();
    }
  }
  if (descriptor_ > STDERR_FILENO && close(std::exchange(descriptor_, -1)) != 0) fail();
  if (temporary_.empty()) return;
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail();
  temporary_.clear();
}

void TextFile::fail() const {
  const std::string reason = std::generic_category().message(errno);
  const std::string name = path_ == "-" ? "standard output" : path_;
  if (!temporary_.empty()) unlink(temporary_.c_str());
  throw Error(ErrorKind::kOutput, fmt::format("{}: it cannot be written: {}", name, reason));
}

}  // namespace firbank::program
