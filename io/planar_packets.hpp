// PlanarPackets: blocks of planes, cut into packets that a sink takes.
//
// Thread: one at a time.  Realtime: no.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "io/endpoint.hpp"
#include "io/frame_time.hpp"
#include "io/packet_endpoint.hpp"

namespace firbank {

class PlanarPackets {
 public:
  /// The sink must outlive this.
  explicit PlanarPackets(PacketSink& sink)
      : sink_(sink), words_(sink.header().packet_frames * frame_bytes(sink.header()) / 8 + 1) {}

  /// Takes all frames of a block of header().channels planes, in the header's unit. Marks stand at
  /// the first packet, kEndOfStream at the last; times of later ones follow from the rate.
  /// Throws: what the sink throws.
  template <class Sample>
  void write(const BasicBlock<const Sample>& block) {
    const StreamHeader& header = sink_.header();
    std::size_t done = 0;
    do {
      Packet packet;
      packet.first_frame = block.first_frame + static_cast<std::int64_t>(done);
      packet.frames = std::min(block.frames - done, header.packet_frames);
      packet.flags = flags_of(block.flags, done == 0, done + packet.frames == block.frames);
      packet.timestamp_ns =
          time_after(block.timestamp_ns, static_cast<std::int64_t>(done), header.sample_rate_hz);
      packet.samples = words_.data();
      if (packet.frames == 0 && !has(packet.flags, BlockFlags::kEndOfStream)) return;
      fill(block, done, packet);
      sink_.write(packet);
      done += packet.frames;
    } while (done < block.frames);
  }

  /// Samples that the sink's type could not hold; the first frame is that of their packet.
  ClipCount clipped() const noexcept { return clipped_; }

 private:
  static BlockFlags flags_of(BlockFlags flags, bool is_first, bool is_last) noexcept {
    if (!is_first) flags = flags & ~(BlockFlags::kReset | BlockFlags::kMissed);
    if (!is_last) flags = flags & ~BlockFlags::kEndOfStream;
    return flags;
  }

  template <class Sample>
  void fill(const BasicBlock<const Sample>& block, std::size_t done, const Packet& packet) {
    const StreamHeader& header = sink_.header();
    std::vector<const Sample*>& planes = std::get<std::vector<const Sample*>>(planes_);
    planes.clear();
    for (std::size_t c = 0; c < header.channels; ++c) planes.push_back(block.planes[c] + done);
    const std::uint64_t clipped =
        to_native(header.format, planes.data(), header.channels, 0, packet.frames, words_.data());
    if (clipped == 0) return;
    if (clipped_.samples == 0) clipped_.first_frame = packet.first_frame;
    clipped_.samples += static_cast<std::int64_t>(clipped);
  }

  PacketSink& sink_;
  std::vector<std::uint64_t> words_;
  std::tuple<std::vector<const float*>, std::vector<const double*>> planes_;
  ClipCount clipped_;
};

}  // namespace firbank
