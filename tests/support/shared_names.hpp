// Names of shared memory for tests, which no other test has, and what lies under them.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/shared_ring_layout.hpp"
#include "io/socket.hpp"

namespace firbank::packets_test {

/// A test with a name of its own, under which nothing is left.
class SharedNameTest : public testing::Test {
 protected:
  SharedNameTest() {
    static int count = 0;
    name_ = "test-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  }
  ~SharedNameTest() override { ::shm_unlink(path().c_str()); }

  std::string path() const { return "/firbank." + name_; }
  bool exists() const { return Descriptor(::shm_open(path().c_str(), O_RDONLY, 0)).number() >= 0; }

  std::string name_;
};

/// The memory under a path, to be written to behind its owner's back.
class Tampered {
 public:
  explicit Tampered(const std::string& path) : file_(::shm_open(path.c_str(), O_RDWR, 0)) {
    struct stat info {};
    EXPECT_EQ(::fstat(file_.number(), &info), 0);
    bytes_ = static_cast<std::size_t>(info.st_size);
    data_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.number(), 0);
    EXPECT_NE(data_, MAP_FAILED);
  }
  ~Tampered() { ::munmap(data_, bytes_); }
  Tampered(const Tampered&) = delete;
  Tampered& operator=(const Tampered&) = delete;

  shared_ring::Control& control() const { return *static_cast<shared_ring::Control*>(data_); }
  shared_ring::SlotMarks& slot(std::uint64_t number) const {
    const std::uint64_t index = number % control().slots;
    return *reinterpret_cast<shared_ring::SlotMarks*>(bytes() + control().slots_at +
                                                      index * control().slot_bytes);
  }
  unsigned char* bytes() const { return static_cast<unsigned char*>(data_); }
  std::size_t size() const { return bytes_; }
  void resize(std::size_t bytes) const {
    EXPECT_EQ(::ftruncate(file_.number(), static_cast<off_t>(bytes)), 0);
  }

 private:
  Descriptor file_;
  std::size_t bytes_ = 0;
  void* data_ = nullptr;
};

}  // namespace firbank::packets_test
