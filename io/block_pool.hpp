// BlockPool: a fixed number of blocks and the memory of their samples.
//
// All memory comes from the given resource at construction. Planes start on cache lines. Blocks
// never move; a block is known by its index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "io/block.hpp"

namespace firbank {

template <class Sample>
class BlockPool {
 public:
  BlockPool(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
            std::pmr::memory_resource* memory)
      : memory_(memory),
        channels_(channels),
        frames_per_block_(frames_per_block),
        plane_samples_((frames_per_block * sizeof(Sample) + kAlignment - 1) / kAlignment *
                       kAlignment / sizeof(Sample)),
        bytes_(blocks * channels * plane_samples_ * sizeof(Sample)),
        samples_(static_cast<Sample*>(memory->allocate(bytes_, kAlignment))),
        planes_(blocks * channels, memory),
        blocks_(blocks, memory) {
    for (std::size_t i = 0; i < blocks * channels * plane_samples_; ++i)
      new (samples_ + i) Sample{};
    for (std::size_t plane = 0; plane < planes_.size(); ++plane) {
      planes_[plane] = samples_ + plane * plane_samples_;
    }
    for (std::size_t block = 0; block < blocks; ++block) renew(static_cast<std::uint32_t>(block));
  }
  ~BlockPool() { memory_->deallocate(samples_, bytes_, kAlignment); }
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  std::size_t channels() const noexcept { return channels_; }
  std::size_t frames_per_block() const noexcept { return frames_per_block_; }
  std::size_t blocks() const noexcept { return blocks_.size(); }

  BasicBlock<Sample>* at(std::uint32_t index) noexcept { return &blocks_[index]; }
  std::uint32_t index_of(const BasicBlock<Sample>* block) const noexcept {
    return static_cast<std::uint32_t>(block - blocks_.data());
  }

  /// Gives a block its full capacity and empty marks again.
  BasicBlock<Sample>* renew(std::uint32_t index) noexcept {
    BasicBlock<Sample>& block = blocks_[index];
    block = {};
    block.planes = planes_.data() + index * channels_;
    block.channels = channels_;
    block.frames = frames_per_block_;
    return &block;
  }

 private:
  static constexpr std::size_t kAlignment = 64;

  std::pmr::memory_resource* memory_;
  std::size_t channels_;
  std::size_t frames_per_block_;
  std::size_t plane_samples_;
  std::size_t bytes_;
  Sample* samples_;
  std::pmr::vector<Sample*> planes_;
  std::pmr::vector<BasicBlock<Sample>> blocks_;
};

}  // namespace firbank
