// What the header of an audio file claims about its samples: what the audio library refuses without
// naming the value, or silently corrects.
//
// Parsed from any bytes that can be read at a position, so that it needs no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace firbank {

/// Of WAV, RF64, W64, AIFF, CAF, AU and FLAC.
struct AudioShape {
  std::uint64_t channels = 0;
  double sample_rate_hz = 0;
  std::optional<std::uint64_t> bits;         // of a sample; compressed ones may have 0
  std::optional<std::uint64_t> frame_bytes;  // of a WAV, RF64 or W64 whose samples are numbers
};

/// The samples' length by the header and by the file.
struct SampleBytes {
  std::uint64_t claimed_bytes = 0;
  std::uint64_t available_bytes = 0;
};

/// A WAV whose header leaves the length of its samples open.
struct OpenWav {
  std::uint64_t length_at = 0;  // where in the file the 32-bit length of the samples is
  std::uint64_t available_bytes = 0;
  bool big_endian = false;
};

/// What was found; of `samples` and `open_wav` at most one.
struct AudioHeader {
  std::optional<AudioShape> shape;
  std::optional<SampleBytes> samples;
  std::optional<OpenWav> open_wav;
  std::uint64_t frame_bytes = 1;  // of a WAV: its samples are whole frames of this size
};

inline constexpr const char* kAudioKinds = "WAV, RF64, W64, FLAC, AIFF, CAF, AU";

/// Copies up to `count` bytes from position `at` on and returns how many there were.
using ReadAt = std::function<std::size_t(std::uint64_t at, unsigned char* to, std::size_t count)>;

/// Empty when the file begins like none of kAudioKinds.
///
/// Programs that write into a pipe leave a WAV's length open as all ones, 0, 0x7fffffff, 0x7fffff00
/// (arecord) or 0x7ffff000 (sox), rounded down to whole frames. 0 is a length all the same when the
/// rest of the header is complete.
std::optional<AudioHeader> audio_header(const ReadAt& read_at, std::uint64_t file_bytes);

}  // namespace firbank
