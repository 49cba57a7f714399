// Bodies of requests to a monitor, by path: the input's first byte chooses it.
#include <array>
#include <cmath>

#include "demos/firbank/monitor/request_body.hpp"
#include "demos/firbank/monitor/tests/fuzz_rules.hpp"
#include "io/error.hpp"

using namespace firbank::program;
using firbank::fuzz::require;

// The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 6> kPaths = {"/api/choice",  "/api/gain",    "/api/bypass",
                                                      "/api/limiter", "/api/backend", "/api/bad"};
  if (size == 0) return 0;
  const std::size_t kind = data[0] % kPaths.size();
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const ControlRequest request = parse_body(kPaths[kind], body);
    require(request.index() == kind, "the request is of the path's kind");
    require(body.size() <= kMostBodyBytes, "the body is not too long");
    if (const auto* const gain = std::get_if<SetGain>(&request)) {
      require(std::abs(gain->gain_db + 30) <= 90, "the gain is from -120 to 60");
    }
  } catch (const firbank::Error& error) {
    const std::string_view message = error.what();
    require(error.kind() == firbank::ErrorKind::kInput, "the error is of the right kind");
    require(message.find('\n') == message.npos, "the message is one line");
    require(message.size() < 400, "the message is short");
  }
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {"0{\"choice\": 2}",
          "0{\"choice\": \"church \\u00e9\\ud83c\\udfb5.wav\"}",
          "0{\"choice\": 18446744073709551615}",
          "1{\"gain_db\": -3.5}",
          "1{\"gain_db\": 1e999, \"gain_db\": -0}",
          "2{\"bypass\": true}",
          "3 {\"limiter\":false}\r\n",
          "4{\"backend\": \"cpu-avx2\"}",
          "5{\"channel\": 3, \"bad\": true}",
          "5{\"bad\": false, \"channel\": \"in-4\"}",
          "3[[[[[[[[[[{\"limiter\":[null]}]]]]]]]]]]"};
}
