// Which channels a request asks events for. The input is a number of channels, in two bytes, and a
// query.
#include "demos/firbank/monitor/channel_window.hpp"
#include "demos/firbank/monitor/tests/fuzz_rules.hpp"
#include "io/error.hpp"

using namespace firbank::program;
using firbank::fuzz::require;

// The name is libFuzzer's.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t channels = std::size_t{data[0]} * 256 + data[1] + 1;
  const std::string_view query(reinterpret_cast<const char*>(data) + 2, size - 2);
  try {
    const ChannelWindow window = parse_window(query, channels);
    require(window.count >= 1 && window.count <= ChannelWindow::kMost, "some channels are seen");
    require(window.first < channels && window.count <= channels - window.first,
            "the channels are there");
  } catch (const firbank::Error& error) {
    const std::string_view message = error.what();
    require(error.kind() == firbank::ErrorKind::kInput, "the error is of the right kind");
    require(message.find('\n') == message.npos, "the message is one line");
    require(message.size() < 400, "the message is short");
  }
  return 0;
}

std::vector<std::string> firbank::fuzz::seeds() {
  return {"01first=32&count=64",          "0 count=1",     std::string("\0\4first=3&count=8", 17),
          "01first=18446744073709551615", "zz&&first=&=1", "01count=064&first=-0"};
}
