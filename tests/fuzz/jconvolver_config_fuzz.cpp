// The text that jconvolver is configured by.
#include "engine/config/jconvolver_config.hpp"
#include "tests/fuzz/config_rules.hpp"
#include "tests/fuzz/fuzz_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  firbank::fuzz::parse_or_refuse(firbank::ErrorKind::kConfiguration, "x.conf", [&] {
    firbank::fuzz::require_sound(firbank::parse_jconvolver_config(
        text, "x.conf", [](const std::string& path) { return path.size() % 4 + 1; }));
  });
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {
      "/convolver/new 2 3 256 5000 1.0\n/cd sub\n/input/name 1 in.L\n"
      "/impulse/read 1 2 -0.5 10 20 30 2 a.wav\n/impulse/copy 2 1 1 2\n",
      "/convolver/new 1 1 64 4096\r\n# x\r\n/impulse/dirac 1 1 0.25 7\r\n"
      "/impulse/hilbert 1 1 1 40 64\r\n",
      "/impulse/packedmatrix 2 1.0 0 0 0 matrix.wav\n/output/name 3 out\n",
      "/jack/client x\n/convolver/new 1 2 256 100\n/impulse/dirac 1 1 1 0\n/impulse/copy 1 2 1 "
      "1\n"};
}
