// What the headers of audio files claim.
#include <algorithm>
#include <cstring>
#include <optional>

#include "io/audio_header.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using firbank::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read_at = [&](std::uint64_t at, unsigned char* to, std::size_t count) {
    if (at >= size) return std::size_t{0};
    const std::size_t got = std::min<std::size_t>(count, size - static_cast<std::size_t>(at));
    std::memcpy(to, data + at, got);
    return got;
  };
  const std::optional<firbank::AudioHeader> header = firbank::audio_header(read_at, size);
  if (!header) return 0;
  require(!header->samples || !header->open_wav, "a length is open or it is not");
  if (header->samples) {
    require(header->samples->available_bytes <= size, "no more is available than the file has");
  }
  if (header->open_wav) {
    require(header->open_wav->length_at + 4 + header->open_wav->available_bytes == size,
            "a length left open reaches to the end of the file");
  }
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  using namespace std::string_literals;
  const std::string fmt = "fmt \x10\0\0\0\1\0\2\0\x80\xbb\0\0\0\xee\2\0\4\0\x10\0"s;
  const std::string samples = "data\x08\0\0\0abcdefgh"s;
  return {
      "RIFF\x2c\0\0\0WAVE"s + fmt + samples,
      "RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\xdc\5\0\x08\0\x11\0"s + samples,
      "RIFF\xff\xff\xff\xffWAVE"s + fmt + "LIST\4\0\0\0INFOdata\xff\xff\xff\xff"s + "abcd",
      "RIFX\0\0\0\x2cWAVEfmt \0\0\0\x10\0\1\0\2\0\0\xbb\x80\0\2\xee\0\0\4\0\x10"s +
          "data\0\0\0\x08"s + "abcdefgh",
      "RF64\xff\xff\xff\xffWAVEds64\x18\0\0\0\x40\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0"s +
          "\2\0\0\0\0\0\0\0"s + fmt + "data\xff\xff\xff\xff"s + "abcdefgh",
      "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\4\xc1\0\0\x60\0\0\0\0\0\0\0"s +
          "wave\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a"s +
          "data\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a\x20\0\0\0\0\0\0\0"s + "abcdefgh",
      "FORM\0\0\0\x3a"s + "AIFFCOMM\0\0\0\x12\0\2\0\0\0\2\0\x10\x40\x0e\xbb\x80\0\0\0\0\0\0"s +
          "SSND\0\0\0\x10\0\0\0\0\0\0\0\0"s + "abcdefgh",
      "caff\0\1\0\0desc\0\0\0\0\0\0\0\x20"s + "\x40\xe7\x70\0\0\0\0\0lpcm\0\0\0\0"s +
          "\0\0\0\4\0\0\0\1\0\0\0\2\0\0\0\x10"s + "data\0\0\0\0\0\0\0\x0c\0\0\0\0"s + "abcdefgh",
      ".snd\0\0\0\x18\0\0\0\x08\0\0\0\3\0\0\xbb\x80\0\0\0\2"s + "abcdefgh",
      "fLaC\0\0\0\x22\x10\0\x10\0\0\0\x0e\0\x10\0\x0b\xb8\2\xf0\0\0\0\0"s,
  };
}
