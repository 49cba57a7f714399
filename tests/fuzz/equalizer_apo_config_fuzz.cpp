// The text that Equalizer APO is configured by; the input is also what is included.
#include "engine/config/equalizer_apo_config.hpp"
#include "tests/fuzz/config_rules.hpp"
#include "tests/fuzz/fuzz_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t channels : {1, 2, 6}) {
    firbank::fuzz::parse_or_refuse(firbank::ErrorKind::kConfiguration, ": ", [&] {
      firbank::EqualizerApoOptions options;
      options.channels = channels;
      options.read_text = [&](const std::string&) { return std::string(text.substr(size / 2)); };
      firbank::fuzz::require_sound(firbank::parse_equalizer_apo_config(text, "x.txt", options));
    });
  }
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {
      "Preamp: -6.5 dB\nFilter 1: ON PK Fc 50 Hz Gain -3.0 dB Q 10.00\n"
      "Filter: ON LSC 6 dB Fc 100 Hz Gain 3 dB\nFilter: ON PEQ Fc 9 Hz Gain 1 dB BW Oct 0.5\n",
      "Channel: L R 1 all\nGraphicEQ: 25 6; 40 4.5; 63 3\nDelay: 10 ms\nDelay: 480 samples\n",
      "Copy: L=L+0.5*R R=-6dB*L\nCopy: M=0.5*L+0.5*R\nChannel: M\nConvolution: room.wav\n"
      "Copy: L=M R=0.0\n",
      "Filter: ON HP Fc 30 Hz Q 0.5\nInclude: more.txt\n# x\r\nFilter 3: OFF None\nIf: 1\n"};
}
