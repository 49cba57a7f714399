// Block: a view of some frames of a stream, one plane of samples per channel.
//
// A block owns nothing. Whoever made it keeps the planes alive; copying a block copies the view.
// It carries its place in the stream, so that samples lost on the way are seen and never guessed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firbank {

enum class BlockFlags : std::uint32_t {
  kNone = 0,
  kFilled = 1u << 0,       // the frames were made up by the gap policy
  kReset = 1u << 1,        // the history was forgotten before the first frame
  kSpoiled = 1u << 2,      // at least one sample is NaN because an input sample was not finite
  kEndOfStream = 1u << 3,  // no block follows
  kLost = 1u << 4,         // silence in place of what could not be computed
  kTransient = 1u << 5,    // start-up: the longest filter hears the time before the stream began
  kMissed = 1u << 6,       // the gap before is this reader's own: it was too slow
};

constexpr BlockFlags operator|(BlockFlags a, BlockFlags b) {
  return static_cast<BlockFlags>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr BlockFlags operator&(BlockFlags a, BlockFlags b) {
  return static_cast<BlockFlags>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}
constexpr BlockFlags operator~(BlockFlags a) {
  return static_cast<BlockFlags>(~static_cast<std::uint32_t>(a));
}
constexpr BlockFlags& operator|=(BlockFlags& a, BlockFlags b) {
  return a = a | b;
}
constexpr bool has(BlockFlags flags, BlockFlags flag) {
  return (flags & flag) != BlockFlags::kNone;
}

/// `planes[c][n]` is frame n of channel c, full scale +-1 for audio, physical units otherwise.
template <class Sample>
struct BasicBlock {
  Sample* const* planes = nullptr;  // `channels` pointers to `frames` samples each
  std::size_t channels = 0;
  std::size_t frames = 0;
  std::int64_t first_frame = 0;   // index in the stream of planes[c][0]
  std::int64_t timestamp_ns = 0;  // capture time of the first frame; 0 when unknown
  std::int64_t gap_before = 0;    // frames missing between the block before and this one
  BlockFlags flags = BlockFlags::kNone;
};

using Block = BasicBlock<float>;

}  // namespace firbank
