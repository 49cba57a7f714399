#include "demos/firbank/doctor/mapped_memory.hpp"

#include <cstdint>
#include <cstring>

#include <sys/mman.h>

namespace firbank::program {

MappedMemory::MappedMemory(std::size_t bytes, bool populated) noexcept {
  void* const place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | (populated ? MAP_POPULATE : 0), -1, 0);
  if (place == MAP_FAILED) return;
  data_ = static_cast<std::byte*>(place);
  bytes_ = bytes;
}

MappedMemory::~MappedMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

bool MappedMemory::ask_for_huge_pages(bool wanted) noexcept {
  return data_ != nullptr && madvise(data_, bytes_, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) == 0;
}

void MappedMemory::touch() noexcept {
  volatile std::byte* const bytes = data_;
  for (std::size_t at = 0; at < bytes_; at += kPageBytes) bytes[at] = std::byte{1};
}

std::size_t MappedMemory::sweep() const noexcept {
  constexpr std::size_t kLineBytes = 64;
  std::size_t sum = 0;
  for (std::size_t at = 0; at + kLineBytes <= bytes_; at += kLineBytes) {
    std::uint64_t line = 0;
    std::memcpy(&line, data_ + at, sizeof(line));
    sum += line;
  }
  return sum;
}

}  // namespace firbank::program
