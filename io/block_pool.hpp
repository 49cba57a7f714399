// BlockPool: a fixed number of blocks and the memory of their samples. What the block queues are
// made of.
//
// The samples come from the given resource, in one piece; every plane starts on a cache line, and
// so does every block, so that two threads never write to the same line. Blocks never move; a block
// is known by its index.
//
// Thread:   construction and destruction: one. The rest: whoever holds the block.
// Realtime: everything but construction and destruction is safe.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include "io/block.hpp"
#include "io/error.hpp"

namespace firbank {

template <class Sample>
class BlockPool {
 public:
  /// Throws: Error when a count is 0 or all of them together do not fit in memory; what `memory`
  /// throws.
  BlockPool(std::size_t channels, std::size_t frames_per_block, std::size_t blocks,
            std::pmr::memory_resource* memory)
      : memory_(memory),
        channels_(channels),
        frames_per_block_(frames_per_block),
        plane_samples_(rounded_up(at_least_one("frames per block", frames_per_block))),
        bytes_(checked_bytes(channels, plane_samples_, blocks)),
        planes_(channels * blocks),
        slots_(blocks),
        samples_(static_cast<Sample*>(memory->allocate(bytes_, kAlignment))) {
    std::uninitialized_value_construct_n(samples_, bytes_ / sizeof(Sample));
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
  std::size_t blocks() const noexcept { return slots_.size(); }

  BasicBlock<Sample>* at(std::uint32_t index) noexcept { return &slots_[index].block; }

  /// `block` must be one of this pool's.
  std::uint32_t index_of(const BasicBlock<Sample>* block) const noexcept {
    const auto* slot = reinterpret_cast<const Slot*>(block);  // its first and only member
    assert(slot >= slots_.data() && slot < slots_.data() + slots_.size());
    return static_cast<std::uint32_t>(slot - slots_.data());
  }

  /// Gives a block its full capacity and empty marks again; the samples stay what they were.
  BasicBlock<Sample>* renew(std::uint32_t index) noexcept {
    BasicBlock<Sample>& block = slots_[index].block;
    block = {};
    block.planes = planes_.data() + index * channels_;
    block.channels = channels_;
    block.frames = frames_per_block_;
    return &block;
  }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct alignas(kAlignment) Slot {
    BasicBlock<Sample> block;
  };

  static std::size_t at_least_one(const char* what, std::size_t count) {
    if (count == 0) {
      throw Error(ErrorKind::kConfiguration,
                  std::string("block queue: ") + what + " is 0; at least 1 is needed");
    }
    return count;
  }

  static constexpr std::size_t rounded_up(std::size_t frames) {
    constexpr std::size_t kSamplesPerLine = kAlignment / sizeof(Sample);
    const std::size_t lines = frames / kSamplesPerLine + (frames % kSamplesPerLine != 0 ? 1 : 0);
    return lines * kSamplesPerLine;
  }

  static std::size_t checked_bytes(std::size_t channels, std::size_t plane_samples,
                                   std::size_t blocks) {
    at_least_one("channels", channels);
    at_least_one("blocks", blocks);
    constexpr std::size_t kMost = std::numeric_limits<std::ptrdiff_t>::max();
    if (blocks > std::numeric_limits<std::uint32_t>::max() ||
        plane_samples > kMost / sizeof(Sample) / channels / blocks) {
      throw Error(ErrorKind::kConfiguration, "block queue: " + std::to_string(blocks) +
                                                 " blocks of " + std::to_string(channels) +
                                                 " channels of " + std::to_string(plane_samples) +
                                                 " frames do not fit in memory");
    }
    return blocks * channels * plane_samples * sizeof(Sample);
  }

  std::pmr::memory_resource* memory_;
  std::size_t channels_;
  std::size_t frames_per_block_;
  std::size_t plane_samples_;  // from one plane to the next
  std::size_t bytes_;
  std::vector<Sample*> planes_;
  std::vector<Slot> slots_;
  Sample* samples_;
};

}  // namespace firbank
