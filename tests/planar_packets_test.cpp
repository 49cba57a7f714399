// Planes on their way out: cut into packets, converted, and with the marks where they belong.
#include "io/planar_packets.hpp"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/packets.hpp"

namespace firbank {
namespace {

class KeepingSink final : public PacketSink {
 public:
  explicit KeepingSink(StreamHeader header) : header_(std::move(header)) {}
  const StreamHeader& header() const noexcept override { return header_; }
  bool describe(const std::string&, const std::vector<std::string>&) override { return false; }
  void write(const Packet& packet) override {
    packets.push_back(packet);
    const auto* at = static_cast<const std::int16_t*>(packet.samples);
    samples.insert(samples.end(), at, at + packet.frames * header_.channels);
  }
  void finish() override {}
  SinkStats stats() const override { return {}; }
  std::string status() const override { return {}; }

  std::vector<Packet> packets;
  std::vector<std::int16_t> samples;

 private:
  StreamHeader header_;
};

template <class Sample>
class PlanarPacketsTest : public testing::Test {};
using Samples = testing::Types<float, double>;
TYPED_TEST_SUITE(PlanarPacketsTest, Samples);

TYPED_TEST(PlanarPacketsTest, AreCutWhereTheyAreTooLong) {
  StreamHeader header = packets_test::small_header(2, 8);
  header.sample_rate_hz = 1'000;
  header.format.scale = 0.5;
  KeepingSink sink(header);
  PlanarPackets packets(sink);
  std::vector<TypeParam> left(20);
  std::vector<TypeParam> right(20);
  for (std::size_t n = 0; n < 20; ++n) {
    left[n] = static_cast<TypeParam>(n);
    right[n] = -static_cast<TypeParam>(n);
  }
  right[17] = 1e9;
  const TypeParam* const planes[] = {left.data(), right.data()};
  BasicBlock<const TypeParam> block{planes, 2, 20};
  block.first_frame = 100;
  block.timestamp_ns = 5'000'000;
  block.flags = BlockFlags::kReset | BlockFlags::kEndOfStream | BlockFlags::kSpoiled;
  packets.write(block);

  ASSERT_EQ(sink.packets.size(), 3u);
  const std::size_t frames[] = {8, 8, 4};
  for (std::size_t n = 0; n < 3; ++n) {
    const Packet& packet = sink.packets[n];
    EXPECT_EQ(packet.frames, frames[n]);
    EXPECT_EQ(packet.first_frame, 100 + 8 * static_cast<std::int64_t>(n));
    EXPECT_EQ(packet.timestamp_ns, 5'000'000 + 8'000'000 * static_cast<std::int64_t>(n));
    EXPECT_EQ(has(packet.flags, BlockFlags::kReset), n == 0);
    EXPECT_EQ(has(packet.flags, BlockFlags::kEndOfStream), n == 2);
    EXPECT_TRUE(has(packet.flags, BlockFlags::kSpoiled));
  }
  for (std::size_t n = 0; n < 20; ++n) {
    EXPECT_EQ(sink.samples[2 * n], 2 * static_cast<int>(n));
    EXPECT_EQ(sink.samples[2 * n + 1],
              n == 17 ? std::numeric_limits<std::int16_t>::max() : -2 * static_cast<int>(n));
  }
  EXPECT_EQ(packets.clipped().samples, 1);
  EXPECT_EQ(packets.clipped().first_frame, 116);
}

TYPED_TEST(PlanarPacketsTest, AreNoneWhereThereAreNoFrames) {
  KeepingSink sink(packets_test::small_header(1, 8));
  PlanarPackets packets(sink);
  const TypeParam* const planes[] = {nullptr};
  BasicBlock<const TypeParam> block{planes, 1, 0};
  packets.write(block);
  EXPECT_TRUE(sink.packets.empty());
  block.flags = BlockFlags::kEndOfStream;
  block.first_frame = 7;
  packets.write(block);
  ASSERT_EQ(sink.packets.size(), 1u);
  EXPECT_EQ(sink.packets[0].first_frame, 7);
  EXPECT_EQ(sink.packets[0].timestamp_ns, 0) << "unknown";
}

}  // namespace
}  // namespace firbank
