#include "tests/support/counting_new.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> allocations{0};

}  // namespace

std::size_t firbank::test::heap_bytes() noexcept {
  return held.load();
}

std::size_t firbank::test::heap_allocations() noexcept {
  return allocations.load();
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FIRBANK_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FIRBANK_SANITIZED
#endif

#ifndef FIRBANK_SANITIZED
namespace {

/// Before what is handed out lies as much as its alignment, and in it the number of its bytes.
void* allocate(std::size_t bytes, std::size_t alignment) {
  alignment = std::max(alignment, alignof(std::max_align_t));
  const std::size_t whole = (bytes + 2 * alignment - 1) / alignment * alignment;
  char* const memory = static_cast<char*>(std::aligned_alloc(alignment, whole));
  if (memory == nullptr) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(memory) = bytes;
  held += bytes;
  ++allocations;
  return memory + alignment;
}

void release(void* memory, std::size_t alignment) noexcept {
  if (memory == nullptr) return;
  alignment = std::max(alignment, alignof(std::max_align_t));
  char* const begin = static_cast<char*>(memory) - alignment;
  held -= *reinterpret_cast<std::size_t*>(begin);
  std::free(begin);
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes, 1);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  release(memory, 1);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory, 1);
}
void operator delete(void* memory, std::align_val_t alignment) noexcept {
  release(memory, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
  release(memory, static_cast<std::size_t>(alignment));
}
#endif
