// Feed: drives a peer with noise that is at hand, as a callback's buffers are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "bench/peers/noise.hpp"
#include "bench/peers/peer.hpp"
#include "bench/peers/planes.hpp"

namespace peers {

class Feed {
 public:
  Feed(const firbank::Routing& routing, std::size_t block_frames)
      : blocks_(std::clamp<std::size_t>(kFloats / (routing.inputs() * block_frames), 1, 16)),
        in_(routing.inputs(), blocks_ * block_frames),
        out_(routing.outputs(), block_frames) {
    for (std::size_t c = 0; c < in_.channels(); ++c) {
      fill_noise(static_cast<std::uint32_t>(c), in_[c], in_.frames());
    }
    for (std::size_t b = 0; b < blocks_; ++b) {
      const std::vector<float*> planes = in_.from(b * block_frames);
      starts_.emplace_back(planes.begin(), planes.end());
    }
  }

  void run(Peer& peer) {
    peer.process(starts_[next_].data(), out_.data());
    if (++next_ == blocks_) next_ = 0;
  }

  void run(Peer& peer, std::size_t blocks) {
    for (std::size_t b = 0; b < blocks; ++b) run(peer);
  }

 private:
  static constexpr std::size_t kFloats = 16'384;  // of input that is gone through in turn

  std::size_t blocks_;
  Planes in_, out_;
  std::vector<std::vector<const float*>> starts_;
  std::size_t next_ = 0;
};

}  // namespace peers
