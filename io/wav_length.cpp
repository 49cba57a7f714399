#include "io/wav_length.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace firbank {
namespace {

std::uint64_t little_endian(const unsigned char* bytes, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

}  // namespace

std::optional<WavLength> wav_length(const std::string& path) {
  constexpr std::uint64_t kOpen = 0xFFFF'FFFF;
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 28> bytes{};
  const auto read = [&](std::uint64_t at, std::streamsize count) {
    file.seekg(static_cast<std::streamoff>(at));
    file.read(reinterpret_cast<char*>(bytes.data()), count);
    return file.good();
  };
  const auto is = [&](int at, const char* tag) { return std::memcmp(&bytes[at], tag, 4) == 0; };
  if (!read(0, 12) || !(is(0, "RIFF") || is(0, "RF64")) || !is(8, "WAVE")) return std::nullopt;

  std::uint64_t long_data_bytes = kOpen;
  for (std::uint64_t at = 12; at + 8 <= size && read(at, 8);) {
    std::uint64_t length = little_endian(&bytes[4], 4);
    if (is(0, "ds64") && read(at + 8, 24)) {
      long_data_bytes = little_endian(&bytes[8], 8);
    } else if (is(0, "data")) {
      const bool open = length == 0 || length == kOpen;
      if (open) length = long_data_bytes;
      if (open && (length == 0 || length == kOpen)) return std::nullopt;
      return WavLength{length, size - at - 8};
    }
    at += 8 + length + length % 2;
  }
  return std::nullopt;
}

}  // namespace firbank
