#include "tests/support/counting_new.hpp"

#include <cstdlib>
#include <new>

namespace firbank::io_test {

std::atomic<std::size_t> allocations{0};

}  // namespace firbank::io_test

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FIRBANK_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FIRBANK_SANITIZED
#endif

#ifndef FIRBANK_SANITIZED
void* operator new(std::size_t bytes) {
  ++firbank::io_test::allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif
