// What a watch keeps of samples, against sums by hand: bins, holes, places, and who looks when.
#include "demos/firbank/monitor/serve_watch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace firbank::program {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr ServeWatch::Clock::time_point kNow{1000s};

/// Feeds a watch with samples of its own, at one time.
class Feed {
 public:
  Feed(std::size_t channels, double rate_hz) : watch(channels, rate_hz) { watch.look(kNow); }

  /// Frames [first, first + frames); sample n of channel c is value(c, n).
  template <class Value>
  void add(std::int64_t first, std::size_t frames, Value value, std::vector<Event> events = {},
           ServeWatch::Clock::time_point now = kNow) {
    std::vector<std::vector<float>> planes(watch.channels(), std::vector<float>(frames));
    std::vector<const float*> pointers;
    for (std::size_t c = 0; c < planes.size(); ++c) {
      for (std::size_t n = 0; n < frames; ++n) {
        planes[c][n] = static_cast<float>(value(c, first + static_cast<std::int64_t>(n)));
      }
      pointers.push_back(planes[c].data());
    }
    BasicBlock<const float> block;
    block.planes = pointers.data();
    block.channels = planes.size();
    block.frames = frames;
    block.first_frame = first;
    watch.add(block, events, now);
  }

  ServeWatch::View see(ServeWatch::Place& place) const {
    return watch.see(place, 0, watch.channels());
  }

  ServeWatch watch;
};

double ramp(std::size_t channel, std::int64_t frame) {
  return static_cast<double>(frame) * (channel == 0 ? 1 : -1);
}

TEST(ServeWatch, HasTheLowestAndTheHighestOfEachBin) {
  Feed feed(2, 10'000);
  ASSERT_EQ(feed.watch.bin_frames(), 10u);
  // In calls that end anywhere.
  feed.add(0, 7, ramp);
  feed.add(7, 1, ramp);
  feed.add(8, 27, ramp);
  ServeWatch::Place place;
  const ServeWatch::View view = feed.see(place);
  EXPECT_EQ(view.first_bin, 0);
  ASSERT_EQ(view.bins, 3u);  // the fourth is not whole
  EXPECT_THAT(view.low, ElementsAre(0, -9, 10, -19, 20, -29));
  EXPECT_THAT(view.high, ElementsAre(9, 0, 19, -10, 29, -20));
  EXPECT_EQ(feed.see(place).bins, 0u);
  feed.add(35, 5, ramp);
  EXPECT_EQ(feed.see(place).first_bin, 3);
}

TEST(ServeWatch, IsWhatSumsByHandAre) {
  // In calls that end anywhere.
  Feed feed(3, 60'000);
  ASSERT_EQ(feed.watch.bin_frames(), 60u);
  const auto wave = [](std::size_t c, std::int64_t n) {
    return std::sin(static_cast<double>(n) * 0.7 + static_cast<double>(c)) *
           (1.0 + static_cast<double>(c));
  };
  std::int64_t frame = 0;
  for (const std::size_t part : {1u, 16u, 17u, 31u, 59u, 60u, 61u, 122u, 7u, 46u}) {
    feed.add(frame, part, wave);
    frame += static_cast<std::int64_t>(part);
  }
  ASSERT_EQ(frame, 420);
  ServeWatch::Place place;
  const ServeWatch::View view = feed.see(place);
  ASSERT_EQ(view.bins, 7u);
  for (std::size_t bin = 0; bin < 7; ++bin) {
    for (std::size_t c = 0; c < 3; ++c) {
      float low = 10;
      float high = -10;
      for (std::size_t n = 0; n < 60; ++n) {
        const auto value = static_cast<float>(wave(c, static_cast<std::int64_t>(60 * bin + n)));
        low = std::min(low, value);
        high = std::max(high, value);
      }
      EXPECT_EQ(view.low[3 * bin + c], low) << bin << " " << c;
      EXPECT_EQ(view.high[3 * bin + c], high) << bin << " " << c;
    }
  }
}

TEST(ServeWatch, GivesTheChannelsThatAreAskedFor) {
  Feed feed(8, 1'000);  // bins of one frame
  feed.add(0, 2, [](std::size_t c, std::int64_t n) {
    return static_cast<double>(c) + 10.0 * static_cast<double>(n);
  });
  ServeWatch::Place place;
  EXPECT_THAT(feed.watch.see(place, 5, 3).high, ElementsAre(5, 6, 7, 15, 16, 17));
}

TEST(ServeWatch, LeavesAHoleWhereNothingCame) {
  Feed feed(1, 10'000);
  feed.add(0, 25, ramp);
  feed.add(62, 18, ramp);
  ServeWatch::Place place;
  ServeWatch::View view = feed.see(place);
  EXPECT_EQ(view.first_bin, 0);
  EXPECT_THAT(view.high, ElementsAre(9, 19, 24));  // of the third what came
  view = feed.see(place);
  EXPECT_EQ(view.first_bin, 6);
  EXPECT_THAT(view.low, ElementsAre(62, 70));
}

TEST(ServeWatch, NumbersBinsOfNegativeFrames) {
  Feed feed(1, 10'000);
  feed.add(-15, 25, ramp);
  ServeWatch::Place place;
  const ServeWatch::View view = feed.see(place);
  EXPECT_EQ(view.first_bin, -2);
  EXPECT_THAT(view.low, ElementsAre(-15, -10, 0));
}

TEST(ServeWatch, KeepsTheNewestBins) {
  Feed feed(1, 1'000);
  const std::size_t most = ServeWatch::kMostBins;
  ServeWatch::Place slow;
  feed.add(0, 10, ramp);
  EXPECT_EQ(feed.see(slow).bins, 10u);
  feed.add(10, 3 * most, ramp);
  const ServeWatch::View view = feed.see(slow);
  EXPECT_EQ(view.bins, most);
  EXPECT_EQ(view.first_bin, static_cast<std::int64_t>(10 + 2 * most));
  for (std::size_t i = 0; i < most; ++i) {
    ASSERT_EQ(view.low[i], static_cast<float>(10 + 2 * most + i)) << i;
  }
}

TEST(ServeWatch, BeginsAnewWithAStream) {
  Feed feed(1, 1'000);
  feed.add(100, 5, ramp, {Event{.frame = 3}});
  ServeWatch::Place place;
  feed.see(place);
  feed.add(105, 2, ramp, {Event{.frame = 4}});
  feed.watch.begin_stream();
  feed.add(0, 3, ramp, {Event{.frame = 5}});
  const ServeWatch::View view = feed.see(place);
  EXPECT_EQ(view.first_bin, 0);
  EXPECT_EQ(view.bins, 3u);
  ASSERT_EQ(view.events.size(), 1u);
  EXPECT_EQ(view.events[0].frame, 5);
  EXPECT_EQ(view.events_before, 2u);  // numbers go on
}

TEST(ServeWatch, BeginsAnewWhereFramesGoBack) {
  Feed feed(1, 1'000);
  feed.add(100, 5, ramp);
  ServeWatch::Place place;
  feed.see(place);
  feed.add(50, 2, ramp);
  const ServeWatch::View view = feed.see(place);
  EXPECT_EQ(view.first_bin, 50);
  EXPECT_EQ(view.bins, 2u);
}

TEST(ServeWatch, MeasuresTheRmsFourTimesASecond) {
  Feed feed(2, 1'000);  // of 250 frames
  const auto square = [](std::size_t c, std::int64_t n) {
    return (n % 2 == 0 ? 3.0 : -3.0) * (c == 0 ? 1 : 0);
  };
  feed.add(0, 249, square);
  ServeWatch::Place place;
  EXPECT_THAT(feed.see(place).rms, IsEmpty());
  feed.add(249, 1, square);
  EXPECT_THAT(feed.see(place).rms, ElementsAre(3, 0));
  EXPECT_THAT(feed.see(place).rms, IsEmpty()) << "told twice";
  feed.add(250, 250, [](std::size_t, std::int64_t) { return 1.0; });
  EXPECT_THAT(feed.see(place).rms, ElementsAre(1, 1));
}

TEST(ServeWatch, TakesWhatIsNotFiniteForZero) {
  Feed feed(1, 1'000);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {nan, infinity, -infinity, 2, nan};
  feed.add(0, 5, [&](std::size_t, std::int64_t n) { return values[static_cast<std::size_t>(n)]; });
  ServeWatch::Place place;
  EXPECT_THAT(feed.see(place).high, ElementsAre(0, 0, 0, 2, 0));
}

TEST(ServeWatch, KeepsTheNewestEventsByNumber) {
  Feed feed(1, 1'000);
  std::vector<Event> events(ServeWatch::kMostEvents + 100);
  for (std::size_t i = 0; i < events.size(); ++i) events[i].frame = static_cast<std::int64_t>(i);
  ServeWatch::Place place;
  feed.add(0, 1, ramp, {events.begin(), events.begin() + 50});
  ServeWatch::View view = feed.see(place);
  EXPECT_EQ(view.events_before, 0u);
  EXPECT_EQ(view.events.size(), 50u);
  feed.add(1, 1, ramp, {events.begin() + 50, events.end()});
  view = feed.see(place);
  EXPECT_EQ(view.events_before, 100u);  // 50 are overwritten
  EXPECT_EQ(view.events.size(), ServeWatch::kMostEvents);
  EXPECT_EQ(view.events.front().frame, 100);
  EXPECT_EQ(view.events.back().frame, static_cast<std::int64_t>(events.size()) - 1);
}

TEST(ServeWatch, KeepsNothingWhileNobodyLooks) {
  Feed feed(1, 1'000);
  feed.add(0, 5, ramp, {Event{}});
  const auto late = kNow + ServeWatch::kLookHolds + 1s;
  feed.add(5, 5, ramp, {Event{}}, late);
  ServeWatch::Place place;
  EXPECT_EQ(feed.see(place).bins, 5u);  // of before
  feed.watch.look(late);
  feed.add(10, 2, ramp, {Event{.frame = 9}}, late);
  ServeWatch::Place fresh;
  const ServeWatch::View view = feed.see(fresh);
  EXPECT_EQ(view.first_bin, 10) << "what was kept before is old";
  EXPECT_EQ(view.bins, 2u);
  ASSERT_EQ(view.events.size(), 1u);
  EXPECT_EQ(view.events[0].frame, 9);
}

TEST(ServeWatch, KeepsNothingBeforeAnybodyLooked) {
  ServeWatch watch(1, 1'000);
  const float sample = 1;
  const float* const plane = &sample;
  BasicBlock<const float> block;
  block.planes = &plane;
  block.channels = 1;
  block.frames = 1;
  watch.add(block, {});
  ServeWatch::Place place;
  EXPECT_EQ(watch.see(place, 0, 1).bins, 0u);
  watch.look();
  watch.add(block, {});
  EXPECT_EQ(watch.see(place, 0, 1).bins, 1u);
}

TEST(ServeWatch, IsSeenWholeWhileItIsAddedTo) {
  Feed feed(3, 1'000);
  constexpr std::int64_t kFrames = 20'000;
  std::vector<std::thread> watchers;
  watchers.reserve(2);
  for (int i = 0; i < 2; ++i) {
    watchers.emplace_back([&] {
      ServeWatch::Place place;
      std::uint64_t next_event = 0;
      // Others may be overwritten before they are seen, the last one not.
      for (bool is_over = false; !is_over;) {
        feed.watch.look(kNow);
        const ServeWatch::View view = feed.see(place);
        for (std::size_t bin = 0; bin < view.bins; ++bin) {
          for (std::size_t c = 0; c < 3; ++c) {
            const auto expected =
                static_cast<float>(ramp(c, view.first_bin + static_cast<std::int64_t>(bin)));
            ASSERT_EQ(view.low[3 * bin + c], expected);
            ASSERT_EQ(view.high[3 * bin + c], expected);
          }
        }
        ASSERT_GE(view.events_before, next_event);
        next_event = view.events_before + view.events.size();
        for (std::size_t e = 0; e < view.events.size(); ++e) {
          ASSERT_EQ(view.events[e].frame, static_cast<std::int64_t>(view.events_before + e));
        }
        is_over = view.first_bin + static_cast<std::int64_t>(view.bins) == kFrames;
      }
    });
  }
  // Frame n comes with event n.
  for (std::int64_t n = 0; n < kFrames; ++n) feed.add(n, 1, ramp, {Event{.frame = n}});
  for (std::thread& watcher : watchers) watcher.join();
}

TEST(ServeWatch, KeepsLessOfVeryManyChannels) {
  Feed feed(65'536, 1'000);
  for (std::int64_t n = 0; n < 100; ++n) {
    feed.add(n, 1, [](std::size_t c, std::int64_t frame) {
      return static_cast<double>(c) + static_cast<double>(frame);
    });
  }
  ServeWatch::Place place;
  const ServeWatch::View view = feed.watch.see(place, 65'535, 1);
  ASSERT_EQ(view.bins, 64u);
  EXPECT_EQ(view.high.back(), 65'535.0f + 99.0f);
}

}  // namespace
}  // namespace firbank::program
