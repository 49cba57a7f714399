#include "tests/support/fake_device_settings.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace firbank::test {

namespace {

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

bool read_driver(std::string_view text, FakeDriver& driver) {
  driver = text == "none" ? FakeDriver::kNone : text == "old" ? FakeDriver::kOld : FakeDriver::kOk;
  return text == "ok" || driver != FakeDriver::kOk;
}

bool read_one(std::string_view name, std::string_view value, FakeDeviceSettings& settings) {
  if (name == "devices") return read_number(value, settings.devices) && settings.devices >= 0;
  if (name == "driver") return read_driver(value, settings.driver);
  if (name == "kernels") {
    settings.kernels = value == "ok";
    return value == "ok" || value == "none";
  }
  if (name == "version") return read_number(value, settings.version);
  if (name == "bytes") return read_number(value, settings.bytes);
  if (name == "multiprocessors") return read_number(value, settings.multiprocessors);
  if (name == "memory") return read_number(value, settings.memory_bytes);
  if (name == "pinned") return read_number(value, settings.pinned_bytes);
  if (name == "fail_launch") return read_number(value, settings.fail_launch);
  if (name == "fail_work") return read_number(value, settings.fail_work);
  if (name == "delay_us") return read_number(value, settings.delay_us);
  if (name == "hang") return read_number(value, settings.hang);
  if (name == "seed") return read_number(value, settings.seed);
  if (name == "watch") return read_number(value, settings.watch) && settings.watch <= 1;
  return false;
}

}  // namespace

std::string read_fake_device_settings(std::string_view text, FakeDeviceSettings& settings) {
  FakeDeviceSettings read;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos ||
        !read_one(one.substr(0, equals), one.substr(equals + 1), read)) {
      return "the fake device has no setting '" + std::string(one) + "'";
    }
  }
  settings = read;
  return {};
}

}  // namespace firbank::test
