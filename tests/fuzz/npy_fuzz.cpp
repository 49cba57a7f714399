// The header of .npy files.
#include <algorithm>
#include <limits>

#include "io/npy_header.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using firbank::ErrorKind;
using firbank::NpyHeader;
using firbank::SampleEncoding;
using firbank::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  firbank::fuzz::parse_or_refuse(ErrorKind::kInput, "x.npy", [&] {
    const std::span<const unsigned char> bytes(data, size);
    const std::size_t preamble = std::min(size, firbank::kNpyPreambleBytes);
    const std::size_t length = firbank::parse_npy_length(bytes.first(preamble), "x.npy");
    const NpyHeader header =
        firbank::parse_npy_header(bytes.first(std::min(size, length)), "x.npy");
    require(header.data_offset == length && length <= size, "the samples follow the header");
    require(header.channels >= 1 && header.channels <= 65'536, "1 to 65,536 channels");
    require(
        header.data_bytes() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()),
        "the size of the samples is a size of a file");
    require(header.data_bytes() / header.channels / firbank::bytes_per_sample(header.encoding) ==
                header.frames,
            "the size of the samples did not overflow");

    NpyHeader written = header;
    written.big_endian = false;
    const std::string text = firbank::make_npy_header(written);
    const NpyHeader back = firbank::parse_npy_header(
        {reinterpret_cast<const unsigned char*>(text.data()), text.size()}, "x.npy");
    require(back.frames == header.frames && back.channels == header.channels &&
                back.encoding == header.encoding && back.data_offset == text.size(),
            "what is written is read back");
  });
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  std::vector<std::string> result;
  for (const SampleEncoding encoding :
       {SampleEncoding::kInt16, SampleEncoding::kFloat32, SampleEncoding::kFloat64}) {
    NpyHeader header;
    header.encoding = encoding;
    header.frames = 12'345;
    result.push_back(make_npy_header(header));
    header.channels = 2;
    result.push_back(make_npy_header(header));
  }
  std::string version_2 = result.back();
  version_2[6] = 2;
  version_2.insert(10, 2, '\0');
  result.push_back(version_2);
  return result;
}
