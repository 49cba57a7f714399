// StreamRecorder: what is offered is written, what is dropped is counted and replaced by silence.
#include "io/stream_recorder.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

/// Everything that a sink was given.
struct Written {
  std::vector<std::vector<float>> channels;
  bool finished = false;
  std::atomic<bool> blocked{false};  // while true, write() waits
  std::atomic<bool> fails{false};
};

class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::shared_ptr<Written> written) : written_(std::move(written)) {}
  void write(const BasicBlock<const float>& block) override {
    while (written_->blocked) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (written_->fails) throw Error(ErrorKind::kOutput, "the disk is full");
    written_->channels.resize(block.channels);
    for (std::size_t c = 0; c < block.channels; ++c) {
      written_->channels[c].insert(written_->channels[c].end(), block.planes[c],
                                   block.planes[c] + block.frames);
    }
  }
  void write(const BasicBlock<const double>& /*block*/) override { FAIL() << "float is offered"; }
  void finish() override { written_->finished = true; }
  ClipCount clipped() const noexcept override { return {}; }

 private:
  std::shared_ptr<Written> written_;
};

constexpr double kRate = 48'000;

/// Offers frames [first, first + frames): the first channel counts up, the second one down.
void offer(StreamRecorder& recorder, std::size_t first, std::size_t frames) {
  std::vector<float> up;
  std::vector<float> down;
  for (std::size_t n = first; n < first + frames; ++n) {
    up.push_back(static_cast<float>(n + 1));
    down.push_back(-static_cast<float>(n + 1));
  }
  const float* const in[] = {up.data()};
  const float* const out[] = {down.data()};
  recorder.offer(in, 1, out, 1, frames);
}

TEST(StreamRecorder, WritesEverythingInOrderForAnyCalls) {
  const std::uint64_t seed = 4;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const auto written = std::make_shared<Written>();
  StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate);
  std::size_t frames = 0;
  while (frames < 100'000) {
    const std::size_t call = random() % 3'000;
    offer(recorder, frames, call);
    frames += call;
  }
  recorder.finish();
  EXPECT_EQ(recorder.dropped_frames(), 0);
  EXPECT_EQ(recorder.first_dropped_frame(), -1);
  EXPECT_TRUE(written->finished);
  ASSERT_EQ(written->channels.size(), 2u);
  ASSERT_EQ(written->channels[0].size(), frames);
  for (std::size_t n = 0; n < frames; ++n) {
    ASSERT_EQ(written->channels[0][n], static_cast<float>(n + 1));
    ASSERT_EQ(written->channels[1][n], -static_cast<float>(n + 1));
  }
}

TEST(StreamRecorder, CountsWhatItDropsAndKeepsItsPlace) {
  const auto written = std::make_shared<Written>();
  written->blocked = true;
  StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate, 0.1);
  std::size_t frames = 0;
  for (; frames < 20'000; frames += 100) offer(recorder, frames, 100);
  EXPECT_GT(recorder.dropped_frames(), 5'000);
  written->blocked = false;
  // Once the writer has caught up, what comes is kept again.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (; frames < 23'000; frames += 100) offer(recorder, frames, 100);
  recorder.finish();
  ASSERT_EQ(written->channels[0].size(), frames);
  std::int64_t silent = 0;
  for (std::size_t n = 0; n < frames; ++n) {
    const float sample = written->channels[0][n];
    if (sample == 0) {
      if (silent == 0) {
        EXPECT_EQ(static_cast<std::int64_t>(n), recorder.first_dropped_frame());
      }
      ++silent;
    } else {
      ASSERT_EQ(sample, static_cast<float>(n + 1));
    }
  }
  EXPECT_EQ(silent, recorder.dropped_frames());
  EXPECT_NE(written->channels[0].back(), 0);
}

TEST(StreamRecorder, SkipsAnyNumberOfFramesInNoRoom) {
  const auto written = std::make_shared<Written>();
  written->blocked = true;
  StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate, 0.1);
  constexpr std::size_t kGap = 1'000'000;  // many times what the ring holds
  offer(recorder, 0, 1'500);
  recorder.skip(kGap);
  offer(recorder, 1'500 + kGap, 2);
  recorder.skip(3);  // within a block
  offer(recorder, 1'505 + kGap, 100);
  EXPECT_EQ(recorder.dropped_frames(), 0);
  written->blocked = false;
  recorder.finish();
  const std::vector<float>& up = written->channels[0];
  ASSERT_EQ(up.size(), kGap + 1'605);
  EXPECT_EQ(recorder.written_frames(), static_cast<std::int64_t>(up.size()));
  for (std::size_t n = 0; n < up.size(); ++n) {
    const bool is_skipped =
        (n >= 1'500 && n < 1'500 + kGap) || (n >= 1'502 + kGap && n < 1'505 + kGap);
    ASSERT_EQ(up[n], is_skipped ? 0 : static_cast<float>(n + 1)) << n;
  }
}

/// As offer() does above, waiting for room.
void write(StreamRecorder& recorder, std::size_t first, std::size_t frames,
           std::chrono::milliseconds patience) {
  std::vector<float> up;
  for (std::size_t n = first; n < first + frames; ++n) up.push_back(static_cast<float>(n + 1));
  const float* const planes[] = {up.data(), up.data()};
  recorder.write(planes, frames, patience);
}

TEST(StreamRecorder, WaitsForASlowSink) {
  const auto written = std::make_shared<Written>();
  written->blocked = true;
  StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate, 0.1);
  std::thread disk([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    written->blocked = false;
  });
  for (std::size_t n = 0; n < 50'000; n += 2'500) {
    write(recorder, n, 2'500, std::chrono::seconds(60));
  }
  recorder.finish();
  disk.join();
  EXPECT_EQ(recorder.dropped_frames(), 0);
  ASSERT_EQ(written->channels[0].size(), 50'000u);
  for (std::size_t n = 0; n < 50'000; ++n) {
    ASSERT_EQ(written->channels[0][n], static_cast<float>(n + 1));
  }
}

TEST(StreamRecorder, WaitsOnceForASinkThatTakesNothing) {
  const auto written = std::make_shared<Written>();
  written->blocked = true;
  StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate, 0.1);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t n = 0; n < 50'000; n += 500) {
    write(recorder, n, 500, std::chrono::milliseconds(300));
  }
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_LT(took, std::chrono::seconds(10)) << "and not once a write";
  EXPECT_GT(recorder.dropped_frames(), 30'000);
  written->blocked = false;
  recorder.finish();
  EXPECT_EQ(written->channels[0].size(), 50'000u);
}

TEST(StreamRecorder, TellsThatAWriteFailedAndGoesOn) {
  const auto written = std::make_shared<Written>();
  written->fails = true;
  StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate, 0.1);
  for (std::size_t n = 0; n < 200'000; n += 1'000) offer(recorder, n, 1'000);
  EXPECT_THROW(recorder.finish(), Error);
  EXPECT_TRUE(recorder.has_failed());
  EXPECT_GT(recorder.dropped_frames(), 0);
  EXPECT_TRUE(written->finished);  // with what it took before
}

TEST(StreamRecorder, WithoutFinishLeavesTheSinkUnfinished) {
  const auto written = std::make_shared<Written>();
  {
    StreamRecorder recorder(std::make_unique<MemorySink>(written), 2, kRate);
    offer(recorder, 0, 5'000);
  }
  EXPECT_FALSE(written->finished);
}

}  // namespace
}  // namespace firbank
