// "f32le:2:48000" and the names of encodings.
#include <cmath>

#include "io/sample_encoding.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using firbank::ErrorKind;
using firbank::RawFormat;
using firbank::SampleEncoding;
using firbank::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  firbank::fuzz::parse_or_refuse(ErrorKind::kConfiguration, "raw format", [&] {
    const RawFormat format = firbank::parse_raw_format(text);
    require(format.channels >= 1 && format.channels <= 65'536, "1 to 65,536 channels");
    require(std::isfinite(format.sample_rate_hz) && format.sample_rate_hz > 0,
            "the rate is above 0");
    require(firbank::bytes_per_sample(format.encoding) >= 2, "the encoding is a known one");
  });
  firbank::fuzz::parse_or_refuse(ErrorKind::kConfiguration, "sample format", [&] {
    const SampleEncoding encoding = firbank::parse_sample_encoding(text);
    require(text == firbank::name(encoding), "the encoding has the name that was read");
  });
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {"f32le:2:48000", "s16be:1:44100.5", "s24le:65536:1e9", "f64be:8:0.001",
          "s32le:3:96000", "int16",           "float64",         "f32le:0:nan"};
}
