// What the tests of io/ share: a folder that goes away, planar signals, and bytes of files.
#pragma once

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/endpoint.hpp"
#include "io/error.hpp"
#include "io/files.hpp"

namespace firbank::io_test {

using Planes = std::vector<std::vector<double>>;  // [channel][frame]

/// A test with a folder of its own.
class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "firbank-io-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), pattern);
    }
    folder_ = pattern;
  }
  ~FilesTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string with_bytes(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      result.push_back(entry.path().filename().string());
    }
    return result;
  }

 private:
  std::filesystem::path folder_;
};

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// `value` as `count` little-endian bytes.
inline std::string little_endian(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// Uniform in [-1, 1), in multiples of 2^(1 - bits): every encoding of as many bits holds it.
inline Planes noise(std::size_t channels, std::size_t frames, std::uint64_t seed, int bits = 16) {
  std::mt19937_64 random(seed);
  Planes planes(channels, std::vector<double>(frames));
  for (auto& plane : planes) {
    for (double& sample : plane) {
      const auto code = static_cast<std::int64_t>(random()) >> (64 - bits);
      sample = std::ldexp(static_cast<double>(code), 1 - bits);
    }
  }
  return planes;
}

template <class Sample>
void write_planes(Sink& sink, const Planes& planes, std::size_t first, std::size_t frames) {
  std::vector<std::vector<Sample>> copy;
  std::vector<const Sample*> pointers;
  for (const auto& plane : planes) {
    const auto begin = plane.begin() + static_cast<std::ptrdiff_t>(first);
    copy.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(frames));
  }
  for (const auto& plane : copy) pointers.push_back(plane.data());
  BasicBlock<const Sample> block;
  block.planes = pointers.data();
  block.channels = planes.size();
  block.frames = frames;
  block.first_frame = static_cast<std::int64_t>(first);
  sink.write(block);
}

inline ClipCount write_file(const std::string& path, const Planes& planes, SampleEncoding encoding,
                            double sample_rate_hz = 48'000) {
  StreamFormat format;
  format.channels = planes.size();
  format.sample_rate_hz = sample_rate_hz;
  CreateOptions options;
  options.encoding = encoding;
  const std::unique_ptr<Sink> sink = create_sink(path, format, options);
  write_planes<double>(*sink, planes, 0, planes[0].size());
  sink->finish();
  return sink->clipped();
}

/// Reads to the end in calls of random sizes.
template <class Sample>
Planes read_in_pieces(Source& source, std::uint64_t seed, std::size_t most = 5'000) {
  std::mt19937_64 random(seed);
  const std::size_t channels = source.format().channels;
  Planes result(channels);
  std::vector<std::vector<Sample>> planes(channels, std::vector<Sample>(most));
  std::vector<Sample*> pointers;
  for (auto& plane : planes) pointers.push_back(plane.data());
  while (true) {
    BasicBlock<Sample> block;
    block.planes = pointers.data();
    block.channels = channels;
    block.frames = 1 + static_cast<std::size_t>(random() % most);
    const std::size_t wanted = block.frames;
    const std::size_t got = source.read(block);
    EXPECT_LE(got, wanted);
    EXPECT_EQ(block.first_frame, static_cast<std::int64_t>(result[0].size()));
    for (std::size_t c = 0; c < channels; ++c) {
      result[c].insert(result[c].end(), planes[c].begin(),
                       planes[c].begin() + static_cast<std::ptrdiff_t>(got));
    }
    if (got < wanted) {
      EXPECT_EQ(source.read(block), 0u);
      return result;
    }
  }
}

inline Planes read_file(const std::string& path, const OpenOptions& options = {}) {
  return read_all(*open_source(path, options));
}

/// The message of the Error that `action` throws; it has to be one line of the given kind.
template <class Action>
std::string refusal(ErrorKind kind, Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("\n")));
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

/// What reading all of a file is refused with.
inline std::string read_refusal(const std::string& path, const OpenOptions& options = {}) {
  return refusal(ErrorKind::kInput, [&] { read_file(path, options); });
}

}  // namespace firbank::io_test
