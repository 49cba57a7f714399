// SharedSegment: named memory that processes share, with one owner that writes and any number of
// others that read.
//
// The owner holds a lock on it (flock), which the system lets go of when the owner dies, however it
// dies. A segment that nobody holds is what a killed owner left: the next owner replaces it, and
// who still reads the old one keeps it for as long as that takes. A child that the owner forks
// holds the lock too.
//
// Thread: one at a time.  Realtime: no.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "io/socket.hpp"

namespace firbank {

class SharedSegment {
 public:
  SharedSegment() = default;
  SharedSegment(SharedSegment&& other) noexcept;
  SharedSegment& operator=(SharedSegment&& other) noexcept;
  ~SharedSegment();

  /// `bytes` of zeros that others find by `name`: 1 to 64 letters, digits, '-', '_' and '.', the
  /// first no '.'. Only this user can open it, or read it also the user's group. It goes away with
  /// its owner.
  /// Throws: Error (kConfiguration) when the name is not allowed, has an owner that lives, or
  /// belongs to another user; Error (kOutput) when there is no memory for it.
  static SharedSegment create(std::string_view name, std::size_t bytes, bool group_may_read);

  /// The segment as it is, to be read; nothing mapped where there is none. It belongs to this user
  /// or to root, or `any_owner` is true.
  /// Throws: Error (kConfiguration) for the name; Error (kInput) when it may not be opened, or is
  /// larger than `most_bytes`.
  static SharedSegment open(std::string_view name, std::size_t most_bytes, bool any_owner);

  /// Null when nothing is mapped.
  void* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  SharedSegment(Descriptor file, std::string owned_path, void* data, std::size_t bytes) noexcept;
  void let_go() noexcept;

  Descriptor file_;         // of the owner: with the lock
  std::string owned_path_;  // empty for readers
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace firbank
