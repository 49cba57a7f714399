#include "engine/filter_files.hpp"

#include <cmath>
#include <complex>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/reference.hpp"
#include "io/error.hpp"
#include "io/files.hpp"

namespace firbank {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FilterFiles : public testing::Test {
 protected:
  FilterFiles()
      : folder_(std::filesystem::temp_directory_path() /
                ("firbank-filter-files-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~FilterFiles() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string with_bytes(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

  std::string with_samples(const std::string& name, const Signal& samples, double rate_hz) const {
    StreamFormat format;
    format.channels = samples.size();
    format.sample_rate_hz = rate_hz;
    CreateOptions options;
    options.encoding = SampleEncoding::kFloat64;
    const auto sink = create_sink(path(name), format, options);
    std::vector<const double*> planes;
    for (const auto& channel : samples) planes.push_back(channel.data());
    BasicBlock<const double> block;
    block.planes = planes.data();
    block.channels = samples.size();
    block.frames = samples[0].size();
    sink->write(block);
    sink->finish();
    return path(name);
  }

  static std::string refusal(const std::string& file, ErrorKind kind = ErrorKind::kInput,
                             const FilterFileOptions& options = {}) {
    try {
      load_filters({file}, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), AllOf(HasSubstr(file), Not(HasSubstr("\n"))));
      return error.what();
    }
    return "accepted";
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(FilterFiles, CountsChannelsAsFiltersInOrder) {
  const std::string text = with_bytes("one.txt", "1\n2\n");
  const std::string npy = with_samples("two.npy", {{3, 4, 5}, {6, 7, 8}}, 48'000);
  const std::string wav = with_samples("three.wav", {{0.5}, {0.25}, {-1}}, 48'000);
  const FilterBank bank = load_filters({text, npy, wav});
  ASSERT_EQ(bank.size(), 6u);
  EXPECT_THAT(bank.taps(0), ElementsAre(1, 2));
  EXPECT_THAT(bank.taps(1), ElementsAre(3, 4, 5));
  EXPECT_THAT(bank.taps(2), ElementsAre(6, 7, 8));
  EXPECT_THAT(bank.taps(3), ElementsAre(0.5));
  EXPECT_THAT(bank.taps(5), ElementsAre(-1));
  EXPECT_EQ(bank.name(0), text);
  EXPECT_EQ(bank.name(2), npy + ", channel 2");
  EXPECT_EQ(bank.name(3), wav + ", channel 1");
}

TEST_F(FilterFiles, JudgesAFileByWhatItHolds) {
  const std::string wav = with_samples("really.wav", {{0.5, 0.25}}, 48'000);
  std::filesystem::rename(wav, path("really.txt"));
  EXPECT_THAT(load_filters({path("really.txt")}).taps(0), ElementsAre(0.5, 0.25));
  EXPECT_THAT(load_filters({with_bytes("no-extension", "1\n2")}).taps(0), ElementsAre(1, 2));
  EXPECT_THAT(refusal(with_bytes("page.wav", "<html>\n")), HasSubstr("line 1"));
}

TEST_F(FilterFiles, ReadsTextOfAnyLength) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + "\n";
  const FilterBank bank = load_filters({with_bytes("long.txt", text)});
  ASSERT_EQ(bank.longest(), 20'000u);
  EXPECT_EQ(bank.taps(0)[19'999], 19'999.0);
}

TEST_F(FilterFiles, MayComeThroughAPipe) {
  const Signal samples = {{0.5, 0.25, -1}, {0.125, 0, 0.75}};
  with_samples("a.npy", samples, 48'000);
  with_samples("a.wav", samples, 48'000);
  std::filesystem::copy(with_samples("a.w64", samples, 48'000), path("a.without-extension"));
  with_bytes("a.txt", "0.5\n0.25\n-1\n");
  for (const char* name : {"a.npy", "a.wav", "a.w64", "a.without-extension", "a.txt"}) {
    SCOPED_TRACE(name);
    const std::string pipe = path("pipe-" + std::string(name).substr(2));
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::thread writer([&] {
      std::ofstream(pipe, std::ios::binary) << std::ifstream(path(name), std::ios::binary).rdbuf();
    });
    const FilterBank bank = load_filters({pipe});
    writer.join();
    EXPECT_THAT(bank.taps(0), testing::ElementsAreArray(samples[0]));
    EXPECT_EQ(bank.size(), std::string(name) == "a.txt" ? 1u : 2u);
  }
  EXPECT_THAT(refusal("/dev/null"), HasSubstr("empty"));
}

TEST_F(FilterFiles, ResamplesToTheRateOfTheStreamAndKeepsTheGain) {
  // A Hann-windowed low-pass at 4 kHz.
  constexpr std::size_t kTaps = 401;
  std::vector<double> taps(kTaps);
  for (std::size_t n = 0; n < kTaps; ++n) {
    const double t = static_cast<double>(n) - (kTaps - 1) / 2.0;
    const double x = 2 * std::numbers::pi * 4'000 / 44'100 * t;
    const double window = 0.5 + 0.5 * std::cos(2 * std::numbers::pi * t / (kTaps + 1));
    taps[n] = window * (t == 0 ? 1 : std::sin(x) / x) * 2 * 4'000 / 44'100;
  }
  const auto gain = [](std::span<const double> response, double frequency_hz, double rate_hz) {
    std::complex<double> sum = 0;
    for (std::size_t n = 0; n < response.size(); ++n) {
      const double phase = -2 * std::numbers::pi * frequency_hz / rate_hz * static_cast<double>(n);
      sum += std::polar(response[n], phase);
    }
    return std::abs(sum);
  };
  const std::string file = with_samples("low-pass.wav", {taps}, 44'100);
  for (const double rate_hz : {48'000.0, 96'000.0, 22'050.0}) {
    std::vector<std::string> notices;
    FilterFileOptions options;
    options.sample_rate_hz = rate_hz;
    options.notice = [&](const std::string& line) { notices.push_back(line); };
    const FilterBank bank = load_filters({file}, options);
    for (const double frequency_hz : {0.0, 1'000.0, 3'000.0, 4'000.0, 6'000.0}) {
      EXPECT_NEAR(gain(bank.taps(0), frequency_hz, rate_hz), gain(taps, frequency_hz, 44'100), 2e-4)
          << frequency_hz << " Hz at " << rate_hz << " Hz";
    }
    EXPECT_THAT(notices, ElementsAre(AllOf(HasSubstr(file), HasSubstr("44100 Hz"),
                                           HasSubstr(std::to_string(std::lround(rate_hz))))));
  }
}

TEST_F(FilterFiles, ResamplesABankWithMinimumPhaseWhenOneFilterBeginsAtOnce) {
  std::vector<double> early(100);
  early[0] = 1;
  std::vector<double> late(1'000);
  late[500] = 1;
  const std::string early_file = with_samples("early.wav", {early}, 44'100);
  const std::string late_file = with_samples("late.wav", {late, late}, 44'100);
  std::vector<std::string> notices;
  FilterFileOptions options;
  options.sample_rate_hz = 48'000;
  options.notice = [&](const std::string& line) { notices.push_back(line); };
  const auto sum = [](std::span<const double> taps) {
    return std::accumulate(taps.begin(), taps.end(), 0.0);
  };
  const auto centre = [&](std::span<const double> taps) {
    double moment = 0;
    for (std::size_t n = 0; n < taps.size(); ++n) moment += taps[n] * static_cast<double>(n);
    return moment / sum(taps);
  };
  const FilterBank both = load_filters({early_file, late_file}, options);
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_NEAR(sum(both.taps(i)), 1, 1e-4);
  // They keep their distance: 500 frames at 44,100 Hz.
  EXPECT_NEAR(centre(both.taps(1)) - centre(both.taps(0)), 500 * 48'000 / 44'100.0, 0.02);
  EXPECT_THAT(notices, testing::Each(AllOf(HasSubstr("minimum phase"), HasSubstr("delay"),
                                           Not(HasSubstr("cut")))));
  EXPECT_EQ(notices.size(), 2u);

  notices.clear();
  const FilterBank alone = load_filters({late_file}, options);
  EXPECT_NEAR(centre(alone.taps(0)), 500 * 48'000 / 44'100.0, 0.01);
  EXPECT_THAT(notices, ElementsAre(Not(HasSubstr("phase"))));

  // Minimum phase does not reach that far: what is lost is told.
  notices.clear();
  options.sample_rate_hz = 2'000'000;
  load_filters({early_file}, options);
  EXPECT_THAT(notices, ElementsAre(AllOf(HasSubstr("cut before its first tap: -"),
                                         HasSubstr("dB of its energy"))));
}

TEST_F(FilterFiles, LeavesFiltersOfTheSameRateOrOfNoRateAlone) {
  FilterFileOptions options;
  options.sample_rate_hz = 44'100;
  options.refuse_resampling = true;
  options.notice = [](const std::string& line) { ADD_FAILURE() << line; };
  const FilterBank bank =
      load_filters({with_samples("a.wav", {{0.5, 0.25}}, 44'100),
                    with_samples("b.npy", {{1, 2, 3}}, 48'000), with_bytes("c.txt", "7")},
                   options);
  EXPECT_THAT(bank.taps(0), ElementsAre(0.5, 0.25));
  EXPECT_THAT(bank.taps(1), ElementsAre(1, 2, 3));
  EXPECT_THAT(bank.taps(2), ElementsAre(7));
}

TEST_F(FilterFiles, RefusesAnotherRateWhenToldSo) {
  FilterFileOptions options;
  options.sample_rate_hz = 48'000;
  options.refuse_resampling = true;
  EXPECT_THAT(refusal(with_samples("a.wav", {{0.5}}, 44'100), ErrorKind::kInput, options),
              AllOf(HasSubstr("44100 Hz"), HasSubstr("48000 Hz")));
}

TEST_F(FilterFiles, RefusesWhatIsNoFilter) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(refusal(path("missing.wav")), HasSubstr("No such file"));
  EXPECT_THAT(refusal(path("")), HasSubstr("directory"));
  EXPECT_THAT(refusal(""), HasSubstr("''"));
  EXPECT_THAT(refusal(with_bytes("empty.wav", "")), HasSubstr("empty"));
  EXPECT_THAT(refusal(with_bytes("noise.wav", std::string("\0\1\2\3garbage", 11))),
              Not(HasSubstr("accepted")));
  EXPECT_THAT(refusal(with_bytes("nan.txt", "1\nnan\n")), HasSubstr("line 2"));
  EXPECT_THAT(refusal(with_samples("nan.npy", {{1, 2}, {1, kNan}}, 48'000)),
              AllOf(HasSubstr("channel 2"), HasSubstr("tap 1"), HasSubstr("nan")));
  EXPECT_THAT(refusal("-", ErrorKind::kConfiguration), HasSubstr("standard input"));
}

}  // namespace
}  // namespace firbank
