// MappedMemory: fresh pages of the system's, which nothing has touched yet.
//
// Thread: any.
#pragma once

#include <cstddef>

namespace firbank::program {

class MappedMemory {
 public:
  static constexpr std::size_t kPageBytes = 4'096;

  /// `populated`: every page is there from the beginning. Gives nothing, data() being null, where
  /// the system has no more.
  MappedMemory(std::size_t bytes, bool populated) noexcept;
  ~MappedMemory();
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  /// Wishes for huge pages, or for none of them, whatever the system's way is. Before the first
  /// touch. Whether it was heard: a kernel without huge pages does not.
  bool ask_for_huge_pages(bool wanted) noexcept;

  /// Writes a byte to every page.
  void touch() noexcept;

  /// Reads every cache line in order; the result means nothing.
  std::size_t sweep() const noexcept;

  std::byte* data() noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace firbank::program
