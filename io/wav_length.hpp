// What a WAV header claims about its length, which the audio library silently corrects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace firbank {

struct WavLength {
  std::uint64_t claimed_bytes = 0;    // of samples, by the header
  std::uint64_t available_bytes = 0;  // of samples, in the file
};

/// Empty when the file is not a WAV or RF64, or leaves its length open (0, or all ones).
std::optional<WavLength> wav_length(const std::string& path);

}  // namespace firbank
