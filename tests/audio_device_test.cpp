// Which device a name means, and what is said when it means none.
#include "io/audio_device.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

using testing::HasSubstr;

AudioDevice device(std::size_t number, const std::string& host_api, const std::string& name,
                   std::size_t inputs, std::size_t outputs) {
  AudioDevice made;
  made.number = number;
  made.host_api = host_api;
  made.name = name;
  made.input_channels = inputs;
  made.output_channels = outputs;
  return made;
}

std::vector<AudioDevice> some_devices() {
  std::vector<AudioDevice> devices = {
      device(0, "ALSA", "HDA Intel PCH: ALC257 Analog (hw:0,0)", 2, 2),
      device(1, "ALSA", "USB Audio: Scarlett 2i2 (hw:1,0)", 2, 4),
      device(2, "ALSA", "default", 32, 32),
      device(3, "OSS", "default", 16, 16),
      device(4, "ALSA", "HDMI 0", 0, 8),
  };
  devices[2].is_default_input = true;
  devices[3].is_default_output = true;
  return devices;
}

std::size_t chosen(const std::string& name, AudioDirection direction) {
  return choose_audio_device(some_devices(), name, direction).number;
}

std::string refusal(const std::function<void()>& act, ErrorKind kind) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "accepted";
}

constexpr auto kIn = AudioDirection::kInput;
constexpr auto kOut = AudioDirection::kOutput;

TEST(AudioDevice, IsFoundByNumberNameOrPart) {
  EXPECT_EQ(chosen("1", kIn), 1u);
  EXPECT_EQ(chosen("HDMI 0", kOut), 4u);
  EXPECT_EQ(chosen("ALSA: default", kIn), 2u);
  EXPECT_EQ(chosen("scarlett", kOut), 1u);
  EXPECT_EQ(chosen("oss", kIn), 3u);
}

TEST(AudioDevice, WithoutANameIsTheDefaultOne) {
  EXPECT_EQ(chosen("", kIn), 2u);
  EXPECT_EQ(chosen("", kOut), 3u);
  std::vector<AudioDevice> devices = some_devices();
  devices[2].is_default_input = false;
  EXPECT_EQ(choose_audio_device(devices, "", kIn).number, 0u) << "the first that can";
}

TEST(AudioDevice, OfNoSuchNameIsRefusedWithTheNearest) {
  const std::string said = refusal([] { chosen("Scarlet 2i4", kOut); }, ErrorKind::kConfiguration);
  EXPECT_THAT(said, HasSubstr("there is no output device 'Scarlet 2i4'"));
  EXPECT_THAT(said, HasSubstr("nearest is "));
  EXPECT_THAT(refusal([] { chosen("defualt", kIn); }, ErrorKind::kConfiguration),
              HasSubstr("nearest is 'ALSA: default'"));
  EXPECT_THAT(refusal([] { chosen("17", kIn); }, ErrorKind::kConfiguration), HasSubstr("'17'"));
}

TEST(AudioDevice, ThatMayBeSeveralIsRefusedWithTheirNames) {
  const std::string said = refusal([] { chosen("default", kIn); }, ErrorKind::kConfiguration);
  EXPECT_THAT(said, HasSubstr("2 input devices: 'ALSA: default', 'OSS: default'"));
}

TEST(AudioDevice, WithoutChannelsThisWayIsRefused) {
  EXPECT_THAT(refusal([] { chosen("HDMI", kIn); }, ErrorKind::kConfiguration),
              HasSubstr("'ALSA: HDMI 0' has no input channels"));
}

TEST(AudioDevice, WhereThereIsNoneIsAnErrorOfTheInput) {
  const auto act = [] { choose_audio_device({}, "anything", kIn); };
  EXPECT_EQ(refusal(act, ErrorKind::kInput), "there is no input device here");
  const auto only_output = [] { choose_audio_device({some_devices()[4]}, "", kIn); };
  EXPECT_EQ(refusal(only_output, ErrorKind::kInput), "there is no input device here");
}

TEST(AudioDevice, OfTheSameFullNameTwiceIsTheFirst) {
  const std::vector<AudioDevice> devices = {device(0, "ALSA", "card", 2, 2),
                                            device(1, "ALSA", "card", 2, 2)};
  EXPECT_EQ(choose_audio_device(devices, "card", kIn).number, 0u);
  EXPECT_EQ(choose_audio_device(devices, "1", kIn).number, 1u);
}

}  // namespace
}  // namespace firbank
