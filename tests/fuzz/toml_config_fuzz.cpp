// Configurations in TOML.
#include "engine/config/toml_config.hpp"
#include "tests/fuzz/config_rules.hpp"
#include "tests/fuzz/fuzz_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  firbank::fuzz::parse_or_refuse(firbank::ErrorKind::kConfiguration, "x.toml", [&] {
    firbank::fuzz::require_sound(firbank::parse_toml_config(text, "x.toml"));
  });
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {
      "[stream]\ninputs = 2\n[[filter]]\nname = 'a'\nfile = 'x.wav'\nchannel = 2\noffset = 3\n"
      "[[edge]]\ninput = 1\noutput = 2\nfilter = 'a'\ngain_db = -3.5\ndelay_ms = 2\n",
      "[stream]\ninputs = ['l', 'r']\noutputs = ['l', 'r']\nrate = 48000\n[engine]\nblock = 64\n"
      "spectra = 'int16'\n[[filter]]\nname = 'e'\nequaliser = ['PK Fc 100 Hz Gain -3 dB Q 1.4', "
      "'GraphicEQ: 20 1; 100 -3']\nphase = 'linear'\n[[preset]]\nname = 'p'\nfilter = 'e'\n"
      "mix = 0.5\nlevel_match = true\n",
      "[stream]\ninputs = 1\n[[filter]]\nname = 'a'\ntaps = [1, 0.5]\n[[filter]]\nname = 'b'\n"
      "hilbert = 64\n[[filter]]\nname = 'c'\nchain = ['a', 'b', 'a']\ngain = -2\ndelay = 9\n"
      "[[preset]]\nname = 'x'\nbypass = true\n[[preset]]\nname = 'y'\n[[preset.edge]]\n"
      "input = 1\noutput = 1\n",
      "[stream]\ninputs = 4\nrate = 1000\n[[filter]]\nname = 'a'\ntaps = [1]\n[[preset]]\n"
      "name = 'p'\nfilter = 'a'\n[serve]\ninput = 'tcp://[::1]:40'\nbad_channels = ['in-1']\n"
      "reference = 'mean'\nreference_groups = [['1-2'], [3, 'in-4']]\n"
      "[serve.events]\nsigmas = 4\n[serve.envelope]\nwindow_ms = 3\n[[serve.output]]\n"
      "kind = 'events'\nto = 'zmq:ipc://x'\ntopic = 't'\n"};
}
