#include "io/audio_header.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace firbank {
namespace {

constexpr std::uint64_t kOpen32 = 0xFFFF'FFFF;
constexpr std::uint64_t kOpen64 = 0xFFFF'FFFF'FFFF'FFFF;
constexpr int kMaxChunks = 10'000;  // a damaged file may consist of empty ones

/// A few bytes of the file, and the numbers in them.
class Bytes {
 public:
  static constexpr std::size_t kSize = 56;

  Bytes(const ReadAt& read_at, std::uint64_t at) : got_(read_at(at, bytes_.data(), kSize)) {}

  bool has(std::size_t count) const { return got_ >= count; }
  bool is(std::size_t at, const char* tag) const {
    return std::memcmp(bytes_.data() + at, tag, std::strlen(tag)) == 0;
  }
  std::uint64_t number(std::size_t at, std::size_t size, bool big_endian) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value |= std::uint64_t{bytes_[at + (big_endian ? size - 1 - i : i)]} << (8 * i);
    }
    return value;
  }

 private:
  std::array<unsigned char, kSize> bytes_{};
  std::size_t got_;
};

// Calls visit(chunk, at, length, body) for one chunk after another, until it returns true or the
// file ends. A chunk has a tag, a length of `length_bytes` bytes that counts its header when
// `counts_header`, and a body; chunks begin at multiples of `alignment` from the first.
struct ChunkShape {
  std::size_t tag_bytes;
  std::size_t length_bytes;
  bool big_endian;
  bool counts_header;
  std::uint64_t alignment;
};

template <class Visit>
void visit_chunks(const ReadAt& read_at, std::uint64_t file_bytes, std::uint64_t at,
                  const ChunkShape& shape, Visit visit) {
  const std::uint64_t head = shape.tag_bytes + shape.length_bytes;
  for (int count = 0; count < kMaxChunks && at < file_bytes; ++count) {
    const Bytes chunk(read_at, at);
    if (!chunk.has(static_cast<std::size_t>(head))) return;
    std::uint64_t length = chunk.number(shape.tag_bytes, shape.length_bytes, shape.big_endian);
    if (shape.counts_header && length != kOpen64) length = std::max(length, head) - head;
    if (visit(chunk, length, at + head)) return;
    const std::uint64_t left = file_bytes - at;
    if (length >= left || head + length >= left) return;
    const std::uint64_t whole = head + length;
    at += (whole + shape.alignment - 1) / shape.alignment * shape.alignment;
  }
}

std::uint64_t bytes_after(std::uint64_t at, std::uint64_t file_bytes) {
  return file_bytes > at ? file_bytes - at : 0;
}

/// Whether a WAV's data length is one that means "I do not know".
bool is_open(std::uint64_t length, std::uint64_t frame_bytes) {
  for (const std::uint64_t open : {std::uint64_t{0x7FFF'F000}, std::uint64_t{0x7FFF'FF00},
                                   std::uint64_t{0x7FFF'FFFF}, kOpen32}) {
    if (length <= open && open - length < frame_bytes) return true;
  }
  return false;
}

/// The shape in the body of a "fmt " chunk at `at`.
AudioShape wav_shape(const Bytes& bytes, std::size_t at, bool big_endian) {
  constexpr std::uint64_t kExtensible = 0xFFFE;  // the kind is in its extension
  AudioShape shape{bytes.number(at + 2, 2, big_endian),
                   static_cast<double>(bytes.number(at + 4, 4, big_endian)),
                   bytes.number(at + 14, 2, big_endian), std::nullopt};
  std::uint64_t kind = bytes.number(at, 2, big_endian);
  if (kind == kExtensible && bytes.has(at + 26)) kind = bytes.number(at + 24, 2, big_endian);
  constexpr std::array<std::uint64_t, 4> kNumbers = {1, 3, 6, 7};  // PCM, float, A-law, mu-law
  if (std::find(kNumbers.begin(), kNumbers.end(), kind) != kNumbers.end()) {
    shape.frame_bytes = bytes.number(at + 12, 2, big_endian);
  }
  return shape;
}

AudioHeader wav_header(const ReadAt& read_at, std::uint64_t file_bytes, const Bytes& start) {
  const bool big_endian = start.is(0, "RIFX");
  const std::uint64_t riff_bytes = start.number(4, 4, big_endian);
  std::optional<std::uint64_t> long_length;  // of an RF64
  std::uint64_t frame_bytes = 1;
  AudioHeader result;
  visit_chunks(read_at, file_bytes, 12, {4, 4, big_endian, false, 2},
               [&](const Bytes& chunk, std::uint64_t length, std::uint64_t body) {
                 if (chunk.is(0, "ds64") && chunk.has(24)) {
                   long_length = chunk.number(16, 8, big_endian);
                 } else if (chunk.is(0, "fmt ") && chunk.has(24)) {
                   result.shape = wav_shape(chunk, 8, big_endian);
                   frame_bytes = std::max<std::uint64_t>(1, chunk.number(20, 2, big_endian));
                 }
                 if (!chunk.is(0, "data")) return false;
                 const std::uint64_t available = bytes_after(body, file_bytes);
                 const std::uint64_t rest = bytes_after(8, file_bytes);
                 const bool complete = riff_bytes == rest || riff_bytes + 1 == rest;
                 const bool open = length == 0 ? !complete && available > 0
                                               : length > available && is_open(length, frame_bytes);
                 if (long_length && length == kOpen32) {
                   result.samples = {*long_length, available};
                 } else if (open) {
                   result.open_wav = {body - 4, available, big_endian};
                 } else {
                   result.samples = {length, available};
                   result.frame_bytes = frame_bytes;
                 }
                 return true;
               });
  return result;
}

// GUIDs of Sony's Wave64: the first four bytes are the name that WAV has.
AudioHeader w64_header(const ReadAt& read_at, std::uint64_t file_bytes) {
  AudioHeader result;
  visit_chunks(read_at, file_bytes, 40, {16, 8, false, true, 8},
               [&](const Bytes& chunk, std::uint64_t length, std::uint64_t body) {
                 if (chunk.is(0, "fmt ") && chunk.has(40)) {
                   result.shape = wav_shape(chunk, 24, false);
                 }
                 if (!chunk.is(0, "data")) return false;
                 if (length != kOpen64) result.samples = {length, bytes_after(body, file_bytes)};
                 return true;
               });
  return result;
}

/// An 80-bit number of extended precision, as AIFF stores its rate.
double extended(const Bytes& bytes, std::size_t at) {
  constexpr int kBias = 16'383 + 63;
  const auto exponent = static_cast<int>(bytes.number(at, 2, true));  // a sign makes it too large
  return std::ldexp(static_cast<double>(bytes.number(at + 2, 8, true)), exponent - kBias);
}

AudioHeader aiff_header(const ReadAt& read_at, std::uint64_t file_bytes) {
  constexpr std::uint64_t kOffsetAndBlock = 8;  // before the samples
  AudioHeader result;
  std::optional<std::uint64_t> frames;
  visit_chunks(read_at, file_bytes, 12, {4, 4, true, false, 2},
               [&](const Bytes& chunk, std::uint64_t length, std::uint64_t body) {
                 if (chunk.is(0, "COMM") && chunk.has(26)) {
                   frames = chunk.number(10, 4, true);
                   result.shape = {chunk.number(8, 2, true), extended(chunk, 16),
                                   chunk.number(14, 2, true), std::nullopt};
                 }
                 if (chunk.is(0, "SSND") && length != kOpen32) {
                   result.samples = {std::max(length, kOffsetAndBlock) - kOffsetAndBlock,
                                     bytes_after(body + kOffsetAndBlock, file_bytes)};
                 }
                 return false;  // COMM may follow
               });
  // A file of no frames needs no samples' chunk.
  if (frames == std::uint64_t{0}) {
    result.samples = {0, result.samples ? result.samples->available_bytes : 0};
  }
  return result;
}

AudioHeader caf_header(const ReadAt& read_at, std::uint64_t file_bytes) {
  constexpr std::uint64_t kEditCount = 4;  // before the samples
  AudioHeader result;
  visit_chunks(read_at, file_bytes, 8, {4, 8, true, false, 1},
               [&](const Bytes& chunk, std::uint64_t length, std::uint64_t body) {
                 if (chunk.is(0, "desc") && chunk.has(44)) {
                   result.shape = {chunk.number(36, 4, true),
                                   std::bit_cast<double>(chunk.number(12, 8, true)),
                                   chunk.number(40, 4, true), std::nullopt};
                 }
                 if (!chunk.is(0, "data")) return false;
                 if (length != kOpen64) {
                   result.samples = {std::max(length, kEditCount) - kEditCount,
                                     bytes_after(body + kEditCount, file_bytes)};
                 }
                 return true;
               });
  return result;
}

AudioHeader au_header(std::uint64_t file_bytes, const Bytes& start) {
  const bool big_endian = start.is(0, ".snd");
  const std::uint64_t length = start.number(8, 4, big_endian);
  AudioHeader result;
  if (start.has(24)) {
    result.shape = {start.number(20, 4, big_endian),
                    static_cast<double>(start.number(16, 4, big_endian)), std::nullopt,
                    std::nullopt};
  }
  if (length != kOpen32) {
    result.samples = {length, bytes_after(start.number(4, 4, big_endian), file_bytes)};
  }
  return result;
}

AudioHeader flac_header(const Bytes& start) {
  AudioHeader result;
  if (!start.has(22)) return result;
  // 20 bits of rate, 3 of channels less 1, 5 of bits less 1
  const std::uint64_t packed = start.number(18, 4, true) >> 4;
  result.shape = {(packed >> 5 & 7) + 1, static_cast<double>(packed >> 8), (packed & 31) + 1,
                  std::nullopt};
  return result;
}

}  // namespace

std::optional<AudioHeader> audio_header(const ReadAt& read_at, std::uint64_t file_bytes) {
  const Bytes start(read_at, 0);
  if (!start.has(12)) return std::nullopt;
  const bool riff = start.is(0, "RIFF") || start.is(0, "RIFX") || start.is(0, "RF64");
  if (riff && start.is(8, "WAVE")) return wav_header(read_at, file_bytes, start);
  if (start.is(0, "riff")) return w64_header(read_at, file_bytes);
  if (start.is(0, "FORM") && start.is(8, "AIF")) return aiff_header(read_at, file_bytes);
  if (start.is(0, "caff")) return caf_header(read_at, file_bytes);
  if (start.is(0, ".snd") || start.is(0, "dns.")) return au_header(file_bytes, start);
  if (start.is(0, "fLaC")) return flac_header(start);
  return std::nullopt;
}

}  // namespace firbank
