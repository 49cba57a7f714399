// Filters as text, one number a line.
#include <algorithm>
#include <cmath>

#include "engine/filter_text.hpp"
#include "tests/fuzz/fuzz_target.hpp"

using firbank::ErrorKind;
using firbank::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  firbank::fuzz::parse_or_refuse(ErrorKind::kInput, "x.txt", [&] {
    const std::vector<double> taps = firbank::parse_filter_text(text, "x.txt");
    require(!taps.empty(), "there is at least one tap");
    require(taps.size() <= size, "a tap takes at least one character");
    require(std::all_of(taps.begin(), taps.end(), [](double tap) { return std::isfinite(tap); }),
            "all taps are finite");
  });
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {"1\n-0.5\n0.25\n",
          "# taps\r\n1e-3\r\n\r\n-1.5E+2 # last\r\n",
          "0x1p-3\n",
          "  3.14159265358979323846  \n\t-2\n",
          "1e308\n1e-308\n4.9e-324\n",
          "nan\ninf\n"};
}
