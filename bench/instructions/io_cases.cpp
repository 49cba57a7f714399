// What samples pass on their way to an engine and from it: queues, conversions, packets.
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/instructions/counted_case.hpp"
#include "bench/instructions/noise.hpp"
#include "io/block_queue.hpp"
#include "io/broadcast_queue.hpp"
#include "io/native_samples.hpp"
#include "io/sample_codec.hpp"
#include "io/wire_parser.hpp"

namespace firbank::bench {
namespace {

CountedCase queue() {
  return {"queue", "a block through the queue and back", [](InstructionSet) {
            const auto queue = std::make_shared<BlockQueue>(2, 64, 8);
            return CountedRun{[queue] {
                                queue->publish(queue->try_acquire());
                                queue->release(queue->try_take());
                              },
                              1'024, 1'024};
          }};
}

CountedCase broadcast() {
  return {"broadcast", "a block from one writer to two readers", [](InstructionSet) {
            struct Rig {
              BroadcastQueue<float> queue{2, 64, 8, 2};
              std::array<BroadcastQueue<float>::Reader, 2> readers{
                  queue.open(ReaderPolicy::kLossless).value(),
                  queue.open(ReaderPolicy::kLossy).value()};
            };
            const auto rig = std::make_shared<Rig>();
            return CountedRun{[rig] {
                                rig->queue.publish(rig->queue.try_acquire());
                                for (auto& reader : rig->readers) {
                                  std::uint64_t missed = 0;
                                  reader.try_take(missed);
                                  reader.release();
                                }
                              },
                              1'024, 1'024};
          }};
}

/// 16-bit samples of 384 channels, interleaved, and the same in planes.
struct Packet16 {
  static constexpr std::size_t kChannels = 384;
  static constexpr std::size_t kFrames = 32;

  Packet16() : samples(kChannels * kFrames), planes(kChannels, kFrames) { from_planes(); }
  void to_planes() noexcept {
    from_native(format, samples.data(), kChannels, 0, kFrames, planes.planes());
  }
  void from_planes() noexcept {
    to_native(format, planes.planes(), kChannels, 0, kFrames, samples.data());
  }

  NativeFormat format{NativeType::kInt16, false, 1 / 32'768.0, 0};
  AlignedVector<std::int16_t> samples;
  NoisePlanes<float> planes;
};

CountedCase from_int16() {
  return {"from-int16", "32 frames of 384 channels to planes", [](InstructionSet) {
            const auto packet = std::make_shared<Packet16>();
            return CountedRun{[packet] { packet->to_planes(); }};
          }};
}

CountedCase to_int16() {
  return {"to-int16", "32 frames of 384 channels from planes", [](InstructionSet) {
            const auto packet = std::make_shared<Packet16>();
            return CountedRun{[packet] { packet->from_planes(); }};
          }};
}

/// A file of 24 bits.
CountedCase codec() {
  return {"codec-int24", "256 frames of 2 channels, encoded and decoded", [](InstructionSet) {
            const auto encoder = std::make_shared<Encoder>(SampleEncoding::kInt24, 2, false);
            const auto samples = std::make_shared<AlignedVector<float>>(noise(512));
            const auto bytes = std::make_shared<AlignedVector<unsigned char>>(3 * 512);
            return CountedRun{[=] {
              encoder->encode(samples->data(), 256, bytes->data());
              decode(bytes->data(), SampleEncoding::kInt24, false, samples->data(), 512);
            }};
          }};
}

/// Packets as TCP brings them, in segments.
CountedCase wire() {
  return {"wire", "a packet of 32 frames of 384 channels, in segments of 1,460 bytes",
          [](InstructionSet) {
            struct Rig {
              WireParser parser{"packets"};
              std::string bytes;
            };
            const auto rig = std::make_shared<Rig>();
            const Packet16 packet;
            StreamHeader header;
            header.channels = Packet16::kChannels;
            header.packet_frames = Packet16::kFrames;
            const auto feed = [rig] {
              constexpr std::size_t kSegment = 1'460;
              std::span<const unsigned char> rest(
                  reinterpret_cast<const unsigned char*>(rig->bytes.data()), rig->bytes.size());
              while (!rest.empty()) {
                std::span<const unsigned char> segment =
                    rest.first(std::min(kSegment, rest.size()));
                rest = rest.subspan(segment.size());
                while (!segment.empty()) rig->parser.feed(segment);
              }
            };
            rig->bytes = encode(header);
            feed();
            Packet sent;
            sent.frames = Packet16::kFrames;
            sent.samples = packet.samples.data();
            rig->bytes = encode(header, sent);
            return CountedRun{feed};
          }};
}

}  // namespace

std::vector<CountedCase> io_cases() {
  return {queue(), broadcast(), from_int16(), to_int16(), codec(), wire()};
}

}  // namespace firbank::bench
